/** A model server of others, with the same model: started for one test file, and ended with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { download } from '../../platform/download.ts';
import { foldersOf } from '../../platform/folders.ts';
import { openLog } from '../../platform/log.ts';
import { modelFile, namedModels } from '../../roster/embedded/models.ts';
import type { Surroundings } from '../bench/peers/contender.ts';

export interface RealServer {
  /** Name and version, as in the table of docs/roster.md. */
  readonly name: string;
  readonly version: string;
  /** The address with `/v1`. */
  readonly baseUrl: string;
  readonly model: string;
  /** null: it wants none. */
  readonly key: string | null;
}

export type Start = (surroundings: Surroundings) => Promise<RealServer>;

/** Tokens of context of every server, so that a prompt is soon too long. */
export const contextTokens = 2048;

/**
 * The path of the 1.5B model, fetched if it is not in the cache: smaller ones do not carry out the sub-task on every server.
 */
export async function modelPath({ say, signal }: Surroundings): Promise<string> {
  const folders = foldersOf(process.env);
  if (!(await modelFile('standard', folders)).here) say(`fetching ${namedModels.standard.name} …`);
  const log = openLog({ folder: folders.state, verbose: false, name: 'test' });
  return download(namedModels.standard, { folder: folders.cache, log, onProgress: () => {}, signal });
}

export async function started(start: Start): Promise<RealServer & AsyncDisposable> {
  const ends = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), 'cox-server-'));
  ends.defer(() => rm(folder, { recursive: true, force: true }));
  const surroundings: Surroundings = {
    folder,
    cache: join(foldersOf(process.env).cache, 'servers'),
    say: (line) => void process.stderr.write(`${line}\n`),
    signal: new AbortController().signal,
    ends,
  };
  try {
    const server = await start(surroundings);
    return { ...server, [Symbol.asyncDispose]: () => ends.disposeAsync() };
  } catch (error) {
    await ends.disposeAsync();
    throw error;
  }
}

/** Whether an address answers with a status of success; throws if not, for `ready` of a server. */
export async function answers(url: string): Promise<Response> {
  const response = await fetch(url);
  if (!response.ok) throw new Error(`${url} answers with ${response.status}`);
  return response;
}
