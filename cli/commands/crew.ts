/**
 * `cox crew`: makes a crew with roles, invites members to it and revokes them. It works on the folder of the keeper, and tells the
 * nodes that run.
 */
import { resolve } from 'node:path';
import { z } from 'zod';
import type { Keeper } from '../../bus/team/keeper.ts';
import { Role } from '../../bus/team/roles.ts';
import { CoxError, messageOf } from '../../platform/errors.ts';
import type { Cli, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { exitCodes } from '../exit-codes.ts';
import { list, parseOptions } from '../parse-options.ts';
import { memberLines } from '../render/members.ts';

const Shape = z.object({
  dir: z.string().default('crew'),
  server: z.string().optional(),
  jwt: z.literal(true).optional(),
  roles: list.optional(),
});

const actions = ['init', 'invite', 'revoke', 'publish'] as const;
type Action = (typeof actions)[number];

export const run: Run = async (cli, [action, name], options) => {
  if (action !== undefined && !actions.includes(action as Action))
    throw usageError(
      `There is no "cox crew ${action}".`,
      `There are: cox crew, ${actions.map((it) => `cox crew ${it}`).join(', ')}.`,
    );
  const { dir, server, jwt = false, roles } = parseOptions(Shape, options);
  const { Keeper } = await import('../../bus/team/keeper.ts');
  const folder = resolve(cli.cwd, dir);
  if (action === 'init') return init(cli, Keeper.init(folder, { namespace: cli.env.COX_NAMESPACE, url: server, jwt }));
  const keeper = Keeper.open(folder);
  if (action === undefined) {
    const { members } = keeper.list;
    cli.out.answer({ members }, memberLines(members, new Date(), cli.out.paint.stdout));
    return exitCodes.ok;
  }
  if (action === 'publish') return publish(cli, keeper);
  if (name === undefined) throw usageError('Which member?', `Name one: cox crew ${action} <name>.`);
  return action === 'invite' ? invite(cli, keeper, name, rolesOf(roles)) : revoke(cli, keeper, name);
};

function init(cli: Cli, { configFile, folder, subjects }: Keeper): number {
  const said = [
    `The crew ${subjects.namespace} is made. Its key is in ${folder}: whoever has that folder can make members.`,
    `1. Include ${configFile} in the configuration of your nats-server.`,
    '2. Invite members: cox crew invite <name> --roles <roles>.',
  ];
  cli.out.answer({ folder, config: configFile }, said);
  return exitCodes.ok;
}

async function invite(cli: Cli, keeper: Keeper, name: string, roles: readonly Role[]): Promise<number> {
  const file = keeper.invite(name, roles);
  const problem = await published(cli, keeper);
  const { isListedAtServer: reload, configFile: config } = keeper;
  const said = [
    `${name} is invited as ${roles.join(', ')}. Give ${name} the file ${file}, which has a secret key: COX_CREW=<file> cox …`,
    ...(reload ? [`The server must load ${config} again before ${name} can log in: nats-server --signal reload.`] : []),
  ];
  cli.out.answer({ name, roles, file, config, reload, published: problem === null }, said);
  if (problem) cli.out.note(untold(problem));
  return exitCodes.ok;
}

async function revoke(cli: Cli, keeper: Keeper, name: string): Promise<number> {
  keeper.revoke(name);
  const problem = await published(cli, keeper);
  const { configFile: config } = keeper;
  const said = [
    `${name} is revoked.${problem === null ? ` Running nodes take no word of ${name} any more.` : ''}`,
    `To end the connections of ${name}, have the server load ${config} again: nats-server --signal reload.`,
  ];
  cli.out.answer({ name, config, reload: true, published: problem === null }, said);
  if (problem) cli.out.note(untold(problem));
  return exitCodes.ok;
}

async function publish(cli: Cli, keeper: Keeper): Promise<number> {
  keeper.renew();
  const problem = await published(cli, keeper);
  if (problem) throw problem;
  const { version, members } = keeper.list;
  cli.out.answer({ version, members: members.length }, [`The list of members is published as version ${version}.`]);
  return exitCodes.ok;
}

/** @returns why running nodes could not be told of the list of members. */
async function published(cli: Cli, keeper: Keeper): Promise<CoxError | null> {
  const [{ publishMembers }, { foldersOf }, { openLog }] = await Promise.all([
    import('../../bus/team/publish-members.ts'),
    import('../../platform/folders.ts'),
    import('../../platform/log.ts'),
  ]);
  const log = openLog({ folder: foldersOf(cli.env).state, verbose: cli.global.verbose, name: 'cli' });
  try {
    await publishMembers(keeper, cli.env, log, cli.signal);
    return null;
  } catch (cause) {
    cli.signal.throwIfAborted();
    if (cause instanceof CoxError) return cause;
    return new CoxError('nats-unpublished', `The server did not take the list of members: ${messageOf(cause)}`, {
      hint: 'See that the server has the present configuration of the crew and JetStream enabled.',
      cause,
    });
  }
}

const untold = ({ message }: CoxError): string =>
  `Running nodes do not know it yet (${message}). Tell them when the server is up: cox crew publish.`;

function rolesOf(words: readonly string[] | undefined): Role[] {
  const known = Role.options.join(', ');
  if (!words || words.length === 0) throw usageError('Which roles?', `--roles takes some of ${known}, separated by commas.`);
  return words.map((word) => {
    const { data } = Role.safeParse(word);
    if (!data) throw usageError(`There is no role ${word}.`, `The roles are ${known}.`);
    return data;
  });
}
