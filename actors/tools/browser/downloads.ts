/**
 * The downloads of a task. Chromium writes them into a folder of its own; those that end within their limits are stored as
 * artifacts, and no file of them stays.
 * - One that is too large, or that comes while too many run, is cancelled as soon as that is known.
 */
import { readFile, rm, stat } from 'node:fs/promises';
import type { CDPSession, Download, Page } from 'playwright-core';
import { messageOf } from '../../../platform/errors.ts';
import { sizeOf } from '../../../platform/progress.ts';
import type { ToolContext } from '../tool.ts';
import { contentOf } from '../web/page-content.ts';
import { maxDownloadBytes, maxDownloads } from './page-limits.ts';
import { withinMs } from './within.ts';

interface Watched {
  readonly name: string;
  /** Resolves to the path of the file, or to why there is none. */
  readonly ended: Promise<{ path: string } | { why: string }>;
}

export interface DownloadsOptions {
  /** A session with the browser itself. */
  readonly root: CDPSession;
  readonly contextId: string;
  /** The folder that Chromium writes to. */
  readonly folder: string;
  readonly note: (line: string) => void;
}

/** By its content: a browser does not say as which type the server sent it. */
async function typeOf(bytes: Buffer): Promise<string> {
  const content = await contentOf(bytes, '');
  return content.kind === 'file' ? content.type : `text/${content.kind === 'html' ? 'html' : 'plain'}`;
}

export class Downloads {
  readonly #options: DownloadsOptions;
  readonly #watched = new Set<Watched>();
  readonly #tooLarge = new Set<string>();
  readonly #onProgress: (progress: { guid: string; receivedBytes: number; totalBytes: number }) => void;

  private constructor(options: DownloadsOptions) {
    this.#options = options;
    const { root, contextId } = options;
    this.#onProgress = ({ guid, receivedBytes, totalBytes }) => {
      if (receivedBytes <= maxDownloadBytes && totalBytes <= maxDownloadBytes) return;
      this.#tooLarge.add(guid);
      root.send('Browser.cancelDownload', { guid, browserContextId: contextId }).catch(() => {});
    };
  }

  static async watch(options: DownloadsOptions): Promise<Downloads> {
    const downloads = new Downloads(options);
    const { root, contextId, folder } = options;
    root.on('Browser.downloadProgress', downloads.#onProgress);
    // playwright-core has set the same behaviour; this session gets the events of it too.
    await root.send('Browser.setDownloadBehavior', {
      behavior: 'allowAndName',
      browserContextId: contextId,
      downloadPath: folder,
      eventsEnabled: true,
    });
    return downloads;
  }

  /** Watches the downloads that a page begins. */
  of(page: Page): void {
    page.on('download', (download) => {
      const name = download.suggestedFilename();
      if (this.#watched.size >= maxDownloads) {
        this.#options.note(`A download of ${name} was cancelled: ${maxDownloads} were under way.`);
        void download.cancel().catch(() => {});
        return;
      }
      this.#watched.add({ name, ended: this.#endOf(download) });
    });
  }

  async #endOf(download: Download): Promise<{ path: string } | { why: string }> {
    try {
      const path = await download.path();
      const { size } = await stat(path);
      if (size <= maxDownloadBytes) return { path };
      await rm(path, { force: true });
      return { why: tooLarge };
    } catch (cause) {
      const failure = await download.failure().catch(() => null);
      return { why: failure === 'canceled' ? tooLarge : (failure ?? messageOf(cause)) };
    }
  }

  get isEmpty(): boolean {
    return this.#watched.size === 0;
  }

  /** Stores each download that has ended, after a wait of up to `waitMs` for those that have not. */
  async settle({ store }: Pick<ToolContext, 'store'>, waitMs: number): Promise<void> {
    const until = performance.now() + waitMs;
    for (const watched of [...this.#watched]) {
      const left = Math.max(1, until - performance.now());
      const end = await withinMs(left, watched.ended).catch(() => null);
      if (end === null) {
        this.#options.note(`A download of ${watched.name} goes on. It is stored when a later call finds it complete.`);
        continue;
      }
      this.#watched.delete(watched);
      this.#options.note(await this.#outcome(watched.name, end, store));
    }
  }

  async #outcome(name: string, end: { path: string } | { why: string }, store: ToolContext['store']): Promise<string> {
    if ('why' in end) return `The download of ${name} failed: ${end.why}.`;
    try {
      if (!store) return `The download of ${name} was dropped: nothing can be stored here.`;
      const bytes = await readFile(end.path);
      const made = await store({ name, type: await typeOf(bytes), bytes });
      return `Downloaded ${made.name}, ${sizeOf(made.bytes)}: it is the artifact ${made.ref}.`;
    } catch (cause) {
      return `The download of ${name} could not be stored: ${messageOf(cause)}`;
    } finally {
      await rm(end.path, { force: true });
    }
  }

  stop(): void {
    this.#options.root.off('Browser.downloadProgress', this.#onProgress);
  }
}

const tooLarge = `it is larger than ${sizeOf(maxDownloadBytes)}, so it was cancelled`;
