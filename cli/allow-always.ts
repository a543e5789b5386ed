/** Writes into the roster in use that a tool needs no approval any more. */
import { readFile, realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { browserToolNames } from '../actors/tools/browser/browser-tool-names.ts';
import type { Bus } from '../bus/bus.ts';
import { allNodes } from '../bus/nodes.ts';
import { foldersOf } from '../platform/folders.ts';
import { withAllowed } from '../roster/allow-tool.ts';
import { stdinRoster } from '../roster/find-roster.ts';
import { loadRoster } from '../roster/load.ts';
import { rosterHash } from '../roster/roster-hash.ts';
import type { Cli } from './cli.ts';
import { usageError } from './errors.ts';
import { rosterSource } from './roster.ts';
import { writeEdit } from './roster-file.ts';

/** @returns what was changed, for the operator. @throws CoxError `usage` if there is no roster file here that decides it. */
export async function allowAlways(cli: Cli, bus: Bus, tool: string): Promise<string> {
  const named = await fileInUse(cli, bus);
  if (named === stdinRoster) throw refused('The roster was read from stdin, so that there is no file to change.');
  const file = await realpath(named);
  const { gated, allowed } = (await loadRoster(file)).tools;
  if (allowed.includes(tool)) return `${named} allows ${tool} already.`;
  if (!gated.includes(tool))
    throw refused(
      actsOnPages.has(tool)
        ? `The rules of the section \`web\` in ${named} ask about this ${tool}: its \`per_origin\` can allow an act at one site always, as in \`https://example.com: { submit: allow }\`.`
        : `${named} does not ask about every ${tool}. This task does (--read-only, or a roster that has changed since).`,
    );
  const bytes = await readFile(file);
  const changed = withAllowed(bytes.toString('utf8'), tool, file);
  if (!changed)
    throw refused(
      `${named} cannot be changed without a risk for the rest of it. Write \`allowed: [${tool}]\` below \`tools\` there.`,
    );
  await writeEdit({ file, hash: rosterHash(bytes), text: changed.text });
  return `${named}:${changed.line} is now \`${changed.says}\`: ${tool} needs no approval any more.`;
}

/** Tools about whose calls the rules of the section `web` decide. */
const actsOnPages = new Set([...browserToolNames, 'fetch_page']);

const refused = (why: string) =>
  usageError(why, 'Nothing was changed, and the question stays open. `goal` allows the tool for this goal.');

/** The roster file of all nodes; without a node the one that a node would use here. */
async function fileInUse(cli: Cli, bus: Bus): Promise<string> {
  const nodes = await allNodes(bus);
  const elsewhere = nodes.find(({ host }) => host !== hostname());
  if (elsewhere) throw refused(`The node ${elsewhere.name} is on ${elsewhere.host} and has a roster of its own.`);
  const own = async () => {
    const { by, file } = await rosterSource(cli, foldersOf(cli.env));
    return by === 'shipped' ? null : file;
  };
  const files = [...new Set(nodes.length > 0 ? nodes.map(({ roster }) => roster ?? null) : [await own()])];
  if (files.length > 1)
    throw refused(`The nodes have different rosters: ${files.map((file) => file ?? 'the shipped one').join(', ')}.`);
  const [file] = files;
  if (!file)
    throw refused(
      `No roster file of yours is in use. Copy the shipped one to ${foldersOf(cli.env).config}/roster.yaml to change it.`,
    );
  return file;
}
