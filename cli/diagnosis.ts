/** Checks everything that Coxswain needs on a machine. The checks are independent, so that one failure does not hide another. */
import { execFile } from 'node:child_process';
import { access, mkdtemp, rmdir, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { CoxError, messageOf } from '../platform/errors.ts';
import type { Folders } from '../platform/folders.ts';
import type { Roster } from '../roster/schema.ts';
import type { Trouble } from './capacity.ts';
import type { Cli } from './cli.ts';
import { readRoster } from './roster.ts';

export interface Finding {
  /** A stable name for programs. */
  readonly id: string;
  readonly what: string;
  /** `note`: it works, or it will be downloaded when needed. `problem`: it prevents work. */
  readonly level: 'good' | 'note' | 'problem';
  readonly found: string;
  /** How to fix it; empty if there is nothing to fix. */
  readonly hint: string;
}

/** Enough for nats-server, a model and their data. */
const comfortableBytes = 3e9;
/** Enough for a log and a few tasks. */
const leastBytes = 2e7;

export async function diagnose(cli: Cli, folders: Folders): Promise<Finding[]> {
  const roster = await rosterOf(cli, folders);
  const checks = await Promise.all([
    Promise.resolve([node()]),
    folder('state', folders.state),
    folder('cache', folders.cache),
    bus(cli, folders),
    Promise.resolve([roster.finding]),
    roster.roster ? backends(roster.roster, folders, cli.env) : [],
    roster.roster ? models(roster.roster, folders) : [],
    browser(cli, folders),
    readingSets(folders),
    tracing(cli, folders),
    fetching(),
  ]);
  return checks.flat();
}

const good = (id: string, what: string, found: string): Finding => ({ id, what, level: 'good', found, hint: '' });
const note = (id: string, what: string, found: string, hint: string): Finding => ({ id, what, level: 'note', found, hint });
const problem = (id: string, what: string, found: string, hint: string): Finding => ({ id, what, level: 'problem', found, hint });
const failed = (id: string, what: string, error: unknown): Finding =>
  problem(id, what, messageOf(error), error instanceof CoxError ? error.hint : 'See the log, or run the command with --verbose.');

function node(): Finding {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  const isFit = major > 22 || (major === 22 && minor >= 12);
  return isFit
    ? good('node', 'Node', process.version)
    : problem('node', 'Node', process.version, 'Coxswain needs Node 22.12 or later; in a checkout `npm ci` installs it.');
}

async function folder(id: string, path: string): Promise<Finding[]> {
  const what = `${id} folder`;
  try {
    const existing = await nearest(path);
    // A real write is tried, because permissions do not show everything that prevents one. The test folder is removed at once.
    await rmdir(await mkdtemp(join(existing, '.cox-doctor-')));
    const { bavail, bsize } = await statfs(existing);
    const free = bavail * bsize;
    const { sizeOf } = await import('../platform/progress.ts');
    const found = `${path}, ${sizeOf(free)} free`;
    if (free < leastBytes)
      return [problem(`${id}-folder`, what, found, `Free some space, or set XDG_${id.toUpperCase()}_HOME to another disk.`)];
    if (id !== 'cache' || free >= comfortableBytes) return [good(`${id}-folder`, what, found)];
    return [
      note(`${id}-folder`, what, found, `Downloads may need ${sizeOf(comfortableBytes)}: free some, or set XDG_CACHE_HOME.`),
    ];
  } catch (error) {
    const hint = `Make it writable, or set XDG_${id.toUpperCase()}_HOME to a writable folder.`;
    return [problem(`${id}-folder`, what, `${path}: ${messageOf(error)}`, hint)];
  }
}

/** The folder itself if it exists, else its nearest existing parent. */
async function nearest(path: string): Promise<string> {
  try {
    await access(path);
    return path;
  } catch {
    const above = dirname(path);
    return above === path ? path : nearest(above);
  }
}

async function bus(cli: Cli, folders: Folders): Promise<Finding[]> {
  if (cli.env.NATS_URL || (await isMember(cli, folders))) return [await namedBus(cli, folders)];
  return [await serverBinary(cli, folders), await embeddedBus(folders)];
}

/** A crew file that cannot be used is a problem of the named bus, which reads it too. */
async function isMember(cli: Cli, folders: Folders): Promise<boolean> {
  const { findMemberFile } = await import('../bus/team/crew-file.ts');
  try {
    return findMemberFile(cli.env, folders.config) !== null;
  } catch {
    return true;
  }
}

async function namedBus(cli: Cli, folders: Folders): Promise<Finding> {
  const [{ joinCrew }, { openLog }] = await Promise.all([import('../actors/node/join.ts'), import('../platform/log.ts')]);
  try {
    const log = openLog({ folder: folders.state, verbose: cli.global.verbose, name: 'doctor' });
    const joined = await joinCrew({ env: cli.env, log, folders, start: false, onProgress: () => {}, signal: cli.signal });
    try {
      const { capacityTrouble } = await import('./capacity.ts');
      return capacityFinding(`${joined.server.url} answers (NATS_URL)`, await capacityTrouble(joined.bus));
    } finally {
      await joined.close();
    }
  } catch (error) {
    return failed('bus', 'bus', error);
  }
}

function capacityFinding(found: string, trouble: Trouble | null): Finding {
  if (!trouble) return good('bus', 'bus', found);
  const level = trouble.isFull ? 'problem' : 'note';
  return { id: 'bus', what: 'bus', level, found: `${found}. ${trouble.message}`, hint: trouble.hint };
}

async function serverBinary(cli: Cli, folders: Folders): Promise<Finding> {
  const { findServerBinary } = await import('../bus/embedded/server-binary.ts');
  const binary = await findServerBinary({ folders, env: cli.env, signal: cli.signal });
  if (!('missing' in binary)) return good('nats-server', 'nats-server', `${binary.version} at ${binary.path} (${binary.source})`);
  const chosen = cli.env.COX_NATS_SERVER;
  const found = `not here yet (${binary.tried.join('; ')})`;
  if (chosen)
    return problem('nats-server', 'nats-server', found, 'Set COX_NATS_SERVER to a nats-server of 2.12 or later, or unset it.');
  return note(
    'nats-server',
    'nats-server',
    found,
    'It is downloaded when it is needed. You can also put one on the PATH, or name one in COX_NATS_SERVER.',
  );
}

async function embeddedBus(folders: Folders): Promise<Finding> {
  const [{ readRecord, serverPaths }, { isAlive }, { fullInServer }, { troubleOf }] = await Promise.all([
    import('../bus/embedded/server-record.ts'),
    import('../platform/process-identity.ts'),
    import('../bus/embedded/server-capacity.ts'),
    import('./capacity.ts'),
  ]);
  try {
    // The check reads the server's record and does not join the crew: the last process to leave stops the server.
    const read = readRecord(serverPaths(folders));
    if (read.kind === 'record' && isAlive(read.record.pid, read.record.pidStart)) {
      const { url, version, pid } = read.record;
      const full = await fullInServer(read.record);
      return capacityFinding(`embedded, ${url}, nats-server ${version}, process ${pid}`, await troubleOf(full));
    }
    if (read.kind === 'none') return note('bus', 'bus', 'no crew is running', 'cox starts one.');
    return note('bus', 'bus', 'the last server was not stopped cleanly', 'The next cox takes over its data.');
  } catch (error) {
    return failed('bus', 'bus', error);
  }
}

async function rosterOf(cli: Cli, folders: Folders): Promise<{ finding: Finding; roster: Roster | null }> {
  try {
    const { source, roster } = await readRoster(cli, folders);
    return { finding: good('roster', 'roster', `${source.file} (${source.by})`), roster };
  } catch (error) {
    return { finding: failed('roster', 'roster', error), roster: null };
  }
}

const unlearntHint =
  'It works. This is forgotten an hour after it was learnt, or when the entry changes; `tools` and `structured` set it for good.';

async function backends(roster: Roster, folders: Folders, env: NodeJS.ProcessEnv): Promise<Finding[]> {
  const [{ menuEntry }, { Lessons }, { learntLine }] = await Promise.all([
    import('../roster/menu.ts'),
    import('../roster/lessons.ts'),
    import('./render/menu.ts'),
  ]);
  const lessons = new Lessons(folders.state, Date.now);
  const entries = Object.entries(roster.backends).map(([name, backend]) =>
    menuEntry(name, backend, { inUse: 0, inLine: 0, restMs: 0 }, lessons.learnt(name, backend), env),
  );
  const each = entries.map((entry): Finding => {
    const what = `backend ${entry.name}`;
    const about = `${entry.model ?? entry.kind}, ${entry.tier}`;
    if (entry.available && entry.learnt)
      return note('backend', what, `${about}; ${entry.learnt.map((it) => learntLine(it, new Date())).join('; ')}`, unlearntHint);
    return entry.available
      ? good('backend', what, about)
      : note('backend', what, `${about}: ${entry.why}`, 'This backend is not used until that is fixed.');
  });
  if (entries.some((entry) => entry.available && entry.canOrchestrate)) return each;
  const hint = 'Set `can_orchestrate: true` on an available backend; docs/roster.md has examples.';
  return [...each, problem('orchestrator', 'orchestrator', 'no available backend can split a goal', hint)];
}

/** Checks the model files of the roster's embedded backends. */
async function models(roster: Roster, folders: Folders): Promise<Finding[]> {
  const [{ modelFile }, { sizeOf }] = await Promise.all([
    import('../roster/embedded/models.ts'),
    import('../platform/progress.ts'),
  ]);
  const wanted = new Set(
    Object.values(roster.backends).flatMap((backend) => (backend.kind === 'embedded' ? [backend.model] : [])),
  );
  return Promise.all(
    [...wanted].map(async (name): Promise<Finding> => {
      const what = `model ${name}`;
      try {
        const file = await modelFile(name, folders);
        if (file.here) return good('model', what, file.path);
        return note(
          'model',
          what,
          `not here yet, ${sizeOf(file.bytes)}`,
          'It is downloaded, with a progress bar, when it is first needed.',
        );
      } catch (error) {
        return failed('model', what, error);
      }
    }),
  );
}

/** Looks for the browser of agents that browse. */
async function browser(cli: Cli, folders: Folders): Promise<Finding[]> {
  const [{ findBrowser, installHint }, { isChromiumFetchable, chromiumSet }, { sizeOf }] = await Promise.all([
    import('../actors/tools/browser/find-browser.ts'),
    import('../actors/tools/browser/chromium-set.ts'),
    import('../platform/progress.ts'),
  ]);
  try {
    const found = await findBrowser({ cacheFolder: folders.cache, env: cli.env, signal: cli.signal });
    if (!('missing' in found))
      return [good('browser', 'browser', `${found.version ?? 'a browser'} at ${found.path} (${found.source})`)];
    const tried = found.tried.join('; ');
    const why = `not here yet (${tried})`;
    if (cli.env.COX_CHROMIUM)
      return [problem('browser', 'browser', tried, 'Set COX_CHROMIUM to a recent Chrome or Chromium, or unset it.')];
    const hint = isChromiumFetchable()
      ? `Agents that browse need one. ${sizeOf(chromiumSet.bytes)} are fetched on first use, or by \`cox doctor --install browser\`.`
      : `Agents that browse need one. ${installHint}`;
    return [note('browser', 'browser', why, hint)];
  } catch (error) {
    return [failed('browser', 'browser', error)];
  }
}

/** Looks for the packages that read pictures and documents. */
async function readingSets(folders: Folders): Promise<Finding[]> {
  const [{ readingSets: sets, canvasSet }, { cachedPackages }, { sizeOf }] = await Promise.all([
    import('../actors/tools/vision/package-sets.ts'),
    import('../platform/package-set.ts'),
    import('../platform/progress.ts'),
  ]);
  return Object.entries(sets).map(([id, set]): Finding => {
    // The set for documents has the packages for pictures, too.
    const here = cachedPackages(id === 'pictures' ? canvasSet(folders.cache) : set, folders.cache);
    if (here) return good(id, id, `${set.name} at ${here}`);
    const hint = `Fetched when a tool first needs it, ${sizeOf(set.bytes)} on the disk, or by \`cox doctor --install ${id}\`.`;
    return note(id, id, `${set.name}: not here yet`, hint);
  });
}

/** Looks for the packages that send traces. Without an exporter nobody needs them. */
async function tracing(cli: Cli, folders: Folders): Promise<Finding[]> {
  const { otelSettings } = await import('../platform/otel-env.ts');
  const settings = otelSettings(cli.env);
  if (!settings) return [];
  const [{ tracingSet }, { cachedPackages }] = await Promise.all([
    import('../actors/tracing/otlp.ts'),
    import('../platform/package-set.ts'),
  ]);
  if (settings.problems.length > 0)
    return [problem('tracing', 'tracing', settings.problems.join('; '), 'Correct the variables, or set OTEL_SDK_DISABLED=true.')];
  const here = cachedPackages(tracingSet, folders.cache);
  if (here) return [good('tracing', 'tracing', `${tracingSet.name} at ${here}`)];
  const hint = 'Fetched when a node starts, or by `cox doctor --install tracing`.';
  return [note('tracing', 'tracing', `${tracingSet.name}: not here yet`, hint)];
}

/** Checks for pip, which fetches the same files where the model hub and the release page cannot be reached. */
async function fetching(): Promise<Finding[]> {
  try {
    const { stdout } = await promisify(execFile)('python3', ['-m', 'pip', '--version'], { timeout: 10_000 });
    return [good('pip', 'pip', stdout.trim().split(' from ')[0] ?? 'here')];
  } catch {
    const hint = 'Needed only where HTTPS downloads are blocked: the files then come from the Python package index.';
    return [note('pip', 'pip', 'not here', hint)];
  }
}
