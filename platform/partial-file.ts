/**
 * A file that is being downloaded: `<file>.part`, and beside it a note of the Python packages already appended. Since the final
 * bytes are pinned, one source can resume a file that another source began.
 */
import { existsSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { type FileHandle, open, truncate } from 'node:fs/promises';
import { z } from 'zod';

const Boundary = z.object({ packages: z.number().int().min(0), bytes: z.number().int().min(0) });
/** After this many packages of a wheel source the file had this many bytes. */
export type Boundary = z.infer<typeof Boundary>;

export class PartialFile {
  readonly path: string;
  readonly #boundaryPath: string;

  constructor(target: string) {
    this.path = `${target}.part`;
    this.#boundaryPath = `${target}.part.json`;
  }

  bytes(): number {
    return existsSync(this.path) ? statSync(this.path).size : 0;
  }

  /** The last noted package boundary, or zero if the note is missing or damaged or the file is shorter than noted. */
  boundary(): Boundary {
    try {
      const noted = Boundary.parse(JSON.parse(readFileSync(this.#boundaryPath, 'utf8')));
      return noted.bytes <= this.bytes() ? noted : { packages: 0, bytes: 0 };
    } catch {
      return { packages: 0, bytes: 0 };
    }
  }

  noteBoundary(boundary: Boundary): void {
    writeFileSync(this.#boundaryPath, JSON.stringify(boundary));
  }

  /** Cuts the file to `bytes` and opens it for appending. The caller closes it. */
  async open(bytes: number): Promise<FileHandle> {
    if (this.bytes() > bytes) await truncate(this.path, bytes);
    return open(this.path, 'a', 0o600);
  }

  remove(): void {
    rmSync(this.path, { force: true });
    this.removeBoundary();
  }

  removeBoundary(): void {
    rmSync(this.#boundaryPath, { force: true });
  }
}
