/**
 * Has pictures and documents decoded and read by a process of its own for each request (reader-process.ts). Invariants:
 * - The node decodes nothing itself. A process that takes too long or too much memory is killed, and the call fails with the
 *   reason.
 * - The process gets neither keys nor other environment, may write no files, and starts no programs (where this Node can forbid
 *   it).
 * - A process has ended when its call ends. It ends with the call's signal and with this process. At most two run at a time.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { Progress } from '../../../platform/asset.ts';
import type { Folders } from '../../../platform/folders.ts';
import type { Log } from '../../../platform/log.ts';
import { obtainPackages, type PackageSet } from '../../../platform/package-set.ts';
import { Semaphore } from '../../../roster/semaphore.ts';
import { type FormField, fieldsOf } from './form-fields.ts';
import { type PictureHead, pictureHead } from './format.ts';
import { needsCanvas } from './ocr-work.ts';
import { canvasSet, documentsSet, ocrSet } from './package-sets.ts';
import {
  type DocumentPage,
  type DocumentText,
  type Limits,
  maxOcrPages,
  type PageText,
  type ReadingKind,
  type Readings,
  type Scaled,
  type Sets,
  type Told,
} from './reading.ts';

export interface ReaderOptions {
  readonly folders: Pick<Folders, 'cache'>;
  readonly log: Log;
  /** Called while a set of packages is fetched. */
  readonly onProgress: (progress: Progress) => void;
  readonly env: NodeJS.ProcessEnv;
  /** Longest time of one request in ms. Default: 120 s. */
  readonly maxMs?: number;
  /** Most memory of one process in bytes, measured where the system has /proc. Default: 1.5 GB. */
  readonly maxMemory?: number;
}

/** Number of processes at a time. */
const places = 2;
const defaultMaxMs = 120_000;
const defaultMaxMemory = 1_500_000_000;
/** Heap of JavaScript in a process, in MB; pictures and fonts lie beside it. */
const heapMb = 512;
const memoryPollMs = 200;

export class Reader {
  readonly #options: ReaderOptions;
  readonly #line = new Semaphore(() => places);

  constructor(options: ReaderOptions) {
    this.#options = options;
  }

  /** The picture within these limits, as PNG or JPEG. @throws Error for the model to read, as all of these. */
  async scaled(bytes: Uint8Array, to: Limits, signal: AbortSignal): Promise<Scaled> {
    return this.#ask('scale', { bytes, to }, { pictures: await this.#canvas(signal) }, signal);
  }

  /** The text of a picture. */
  async text(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<PageText & { readonly head: PictureHead }> {
    const head = await pictureHead(name, bytes);
    const asked = { bytes, type: head.type, pixels: head.width * head.height, turned: head.turned === true };
    const sets: Sets = {
      ocr: await this.#obtain(ocrSet, signal),
      ...(needsCanvas(asked) && { pictures: await this.#canvas(signal) }),
    };
    return { ...(await this.#ask('text', asked, sets, signal)), head };
  }

  /** The fields of a form in a screenshot. */
  async fields(name: string, bytes: Uint8Array, signal: AbortSignal): Promise<FormField[]> {
    await pictureHead(name, bytes);
    const sets = { ocr: await this.#obtain(ocrSet, signal), pictures: await this.#canvas(signal) };
    return fieldsOf(await this.#ask('form', { bytes }, sets, signal));
  }

  /** Pages of a PDF, counted from 1. Those without text in the file are read by OCR, at most `maxOcrPages`. */
  async document(bytes: Uint8Array, pages: readonly number[], signal: AbortSignal): Promise<DocumentText> {
    const documents = await this.#obtain(documentsSet, signal);
    const inFile = await this.#ask('document', { bytes, pages }, { documents }, signal);
    const bare = inFile.read.filter(({ from }) => from === 'not-read').slice(0, maxOcrPages);
    if (bare.length === 0) return inFile;
    // The packages of the OCR are fetched only for a document that needs them.
    const sets = { documents, ocr: await this.#obtain(ocrSet, signal) };
    const byOcr = await this.#ask('document', { bytes, pages: bare.map(({ page }) => page) }, sets, signal);
    const better = new Map(byOcr.read.map((page): [number, DocumentPage] => [page.page, page]));
    return { pages: inFile.pages, read: inFile.read.map((page) => better.get(page.page) ?? page) };
  }

  #canvas(signal: AbortSignal): Promise<string> {
    return this.#obtain(canvasSet(this.#options.folders.cache), signal);
  }

  #obtain(set: PackageSet, signal: AbortSignal): Promise<string> {
    const { folders, log, onProgress, env } = this.#options;
    return obtainPackages(set, { folder: folders.cache, log, signal, onProgress, env });
  }

  async #ask<Kind extends ReadingKind>(
    kind: Kind,
    asks: Readings[Kind]['asks'],
    sets: Sets,
    signal: AbortSignal,
  ): Promise<Readings[Kind]['gives']> {
    const leave = await this.#line.enter(signal);
    try {
      return (await this.#run({ kind, sets, ...asks }, signal)) as Readings[Kind]['gives'];
    } finally {
      leave();
    }
  }

  async #run(asked: object, signal: AbortSignal): Promise<unknown> {
    const { log, maxMs = defaultMaxMs, maxMemory = defaultMaxMemory } = this.#options;
    const child = start();
    const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()).once('error', () => resolve()));
    let why = 'it broke off';
    const give = (words: string) => {
      why = words;
      child.kill('SIGKILL');
    };
    const abort = () => give('the call was given up');
    const timer = setTimeout(() => give(`it took longer than ${maxMs / 1_000} s`), maxMs);
    const watch = setInterval(() => {
      void memoryOf(child).then((bytes) => {
        if (bytes > maxMemory) give(`it took more than ${Math.round(maxMemory / 1e6)} MB of memory`);
      });
    }, memoryPollMs);
    signal.addEventListener('abort', abort, { once: true });
    let errors = '';
    child.stderr?.setEncoding('utf8').on('data', (text: string) => {
      errors = (errors + text).slice(-2_000);
    });
    try {
      const told = await replyOf(child, asked);
      signal.throwIfAborted();
      if (told?.ok) return told.gives;
      if (told) throw new Error(told.words);
      log.warn({ why, errors }, 'the reader of pictures and documents ended without a reply');
      throw new Error(`it could not be read: ${why}. It may be damaged, or too large: try a smaller one, or fewer pages.`);
    } finally {
      clearTimeout(timer);
      clearInterval(watch);
      signal.removeEventListener('abort', abort);
      child.kill('SIGKILL');
      await ended;
    }
  }
}

/** The process may read files and run threads and the decoders of its packages, and nothing else. */
const permissions = [
  '--permission',
  '--allow-fs-read=*',
  '--allow-worker',
  '--allow-addons',
  '--disable-warning=SecurityWarning',
];

function start(): ChildProcess {
  // reader-process.ts in a checkout, reader-process.js in a build: the same extension as this file.
  const entry = fileURLToPath(new URL(`./reader-process.${import.meta.url.endsWith('.ts') ? 'ts' : 'js'}`, import.meta.url));
  const forbids = process.allowedNodeEnvironmentFlags.has('--permission');
  return fork(entry, [], {
    execArgv: [`--max-old-space-size=${heapMb}`, ...(forbids ? permissions : [])],
    env: {},
    serialization: 'advanced',
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
  });
}

/** @returns null if the process ends without a reply. */
const replyOf = (child: ChildProcess, asked: object): Promise<Told | null> =>
  new Promise((resolve) => {
    child.once('message', (told) => resolve(told as Told));
    child.once('error', () => resolve(null));
    child.once('exit', () => resolve(null));
    // The process may end before it has read the request.
    child.send(asked, () => {});
  });

/** Resident memory in bytes; 0 where the system does not tell. */
async function memoryOf({ pid }: ChildProcess): Promise<number> {
  const status = await readFile(`/proc/${pid}/status`, 'utf8').catch(() => '');
  return Number(/^VmRSS:\s+(\d+) kB/m.exec(status)?.[1] ?? 0) * 1024;
}
