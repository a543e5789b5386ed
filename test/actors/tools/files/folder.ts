/** A workspace in a temporary folder, and the tools that work in it. */
import { mkdir, mkdtemp, readFile, realpath, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Tool, ToolContext, ToolOutput, ToolPreview } from '../../../../actors/tools/tool.ts';
import type { Content } from '../../../../bus/artifacts/artifacts.ts';

export class Folder {
  readonly folder: string;
  readonly workspace: string;
  private constructor(folder: string) {
    this.folder = folder;
    this.workspace = join(folder, 'workspace');
  }
  static async make(): Promise<Folder> {
    const made = new Folder(await realpath(await mkdtemp(join(tmpdir(), 'cox-files-'))));
    await mkdir(made.workspace);
    return made;
  }

  context(more: Partial<ToolContext> = {}): ToolContext {
    const { workspace } = this;
    return { task: 'k3xq.1', workspace, signal: new AbortController().signal, idempotencyKey: 'k3xq.1:s1-0', ...more };
  }
  run(tool: Tool, args: unknown, more: Partial<ToolContext> = {}): Promise<ToolOutput> {
    return tool.run(tool.args.parse(args), this.context(more));
  }
  async text(tool: Tool, args: unknown): Promise<string> {
    return (await this.run(tool, args)).text;
  }
  preview(tool: Tool, args: unknown): Promise<ToolPreview> {
    return tool.preview!(tool.args.parse(args), this.context());
  }

  async write(path: string, data: string | Uint8Array): Promise<void> {
    await mkdir(dirname(join(this.workspace, path)), { recursive: true });
    await writeFile(join(this.workspace, path), data);
  }
  read(path: string): Promise<string> {
    return readFile(join(this.workspace, path), 'utf8');
  }
  bytes(path: string): Promise<Buffer> {
    return readFile(join(this.workspace, path));
  }
  remove(): Promise<void> {
    return rm(this.folder, { recursive: true, force: true });
  }
}

/** Keeps for each run of a call what the first run kept, as a node does. */
export class Keeper {
  readonly kept: (Content | null)[] = [];
  /** To be passed to one run. */
  forRun(): NonNullable<ToolContext['keep']> {
    let n = 0;
    return async (content) => {
      const at = n++;
      if (at >= this.kept.length) this.kept.push(content);
      return { name: `k3xq.1/s1-0/${at}`, content: this.kept[at] ?? null };
    };
  }
}
