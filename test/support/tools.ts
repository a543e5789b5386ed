/** Tools that a test controls: they start when the model calls them and return when the test says so. */
import { z } from 'zod';
import { defineTool, type Tool } from '../../actors/tools/tool.ts';
import type { Effects } from '../../machines/conversation.ts';

export interface ToolRun {
  readonly args: unknown;
  readonly signal: AbortSignal;
  returns(text: string): void;
  fails(message: string): void;
}

export class HeldTool {
  readonly runs: ToolRun[] = [];
  readonly tool: Tool;
  #waiting: ((run: ToolRun) => void)[] = [];
  #taken = 0;

  constructor(name: string, effects: Effects) {
    this.tool = defineTool({
      name,
      description: name,
      args: z.record(z.string(), z.unknown()),
      effects,
      run: (args, { signal }) =>
        new Promise((resolve, reject) => {
          const run = {
            args,
            signal,
            returns: (text: string) => resolve({ text }),
            fails: (message: string) => reject(new Error(message)),
          };
          this.runs.push(run);
          this.#waiting.shift()?.(run);
        }),
    });
  }

  /** The next run that no test has taken yet. */
  next(): Promise<ToolRun> {
    const there = this.runs[this.#taken++];
    return there ? Promise.resolve(there) : new Promise((resolve) => this.#waiting.push(resolve));
  }
}
