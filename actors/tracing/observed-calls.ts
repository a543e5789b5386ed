/** Backends and tools that report each call, and otherwise do as the ones that they stand for. */
import type { Backends } from '../../roster/backends.ts';
import type { ModelEvent, ModelReply, ModelRequest, ModelUsage } from '../../roster/conversation.ts';
import { addUsage } from '../../roster/conversation.ts';
import { ModelError } from '../../roster/errors.ts';
import type { MenuEntry } from '../../roster/menu.ts';
import { nothing, type Purse } from '../../roster/purse.ts';
import type { Tool, ToolContext, ToolOutput } from '../tools/tool.ts';

export interface ModelCallSeen {
  readonly backend: string;
  readonly entry: MenuEntry | undefined;
  readonly request: ModelRequest;
  readonly startMs: number;
  readonly endMs: number;
  /** When the first piece of the reply came; null if none did. */
  readonly firstMs: number | null;
  readonly reply: ModelReply | null;
  /** The tokens and dollars that the call has cost, also if it failed. */
  readonly usage: ModelUsage;
  /** The code of its error; null if it has a reply. */
  readonly error: string | null;
}

/** @param seen is told of each call when it has ended, also when its reader has stopped early. */
export function observedBackends(backends: Backends, now: () => number, begins: () => (call: ModelCallSeen) => void): Backends {
  const observed = Object.create(backends) as Backends;
  observed.call = async function* (name, request, signal, purse): AsyncGenerator<ModelEvent> {
    const seen = begins();
    const startMs = now();
    let firstMs: number | null = null;
    let billed = nothing;
    let isTold = false;
    const tell = (reply: ModelReply | null, error: string | null) => {
      if (isTold) return;
      isTold = true;
      const entry = backends.menu().find((it) => it.name === name);
      seen({ backend: name, entry, request, startMs, endMs: now(), firstMs, reply, usage: reply?.usage ?? billed, error });
    };
    const onBill = (usage: ModelUsage) => {
      billed = addUsage(billed, usage);
    };
    try {
      for await (const event of backends.call(name, request, signal, purse && watchedPurse(purse, onBill))) {
        firstMs ??= now();
        // The reader may leave now, and the connection ends later.
        if (event.type === 'replied') tell(event, null);
        yield event;
      }
    } catch (cause) {
      tell(null, cause instanceof ModelError ? cause.code : 'unknown');
      throw cause;
    } finally {
      tell(null, 'aborted');
    }
  };
  return observed;
}

const watchedPurse = (purse: Purse, billed: (usage: ModelUsage) => void): Purse => ({
  reserve: (worstUsd) => purse.reserve(worstUsd),
  replied: (usage) => {
    billed(usage);
    purse.replied(usage);
  },
  failed: (usage) => {
    billed(usage);
    purse.failed(usage);
  },
});

export interface ToolCallSeen {
  /** The id of the call within its task. */
  readonly call: string;
  readonly args: unknown;
  readonly startMs: number;
  readonly endMs: number;
  readonly output: ToolOutput | null;
  readonly error: unknown;
}

export function observedTool(tool: Tool, now: () => number, begins: () => (call: ToolCallSeen) => void): Tool {
  const run = async (args: unknown, context: ToolContext): Promise<ToolOutput> => {
    const seen = begins();
    const startMs = now();
    const call = context.idempotencyKey.slice(context.task.length + 1);
    try {
      const output = await tool.run(args as never, context);
      seen({ call, args, startMs, endMs: now(), output, error: null });
      return output;
    } catch (error) {
      seen({ call, args, startMs, endMs: now(), output: null, error });
      throw error;
    }
  };
  return Object.create(tool, { run: { value: run, enumerable: true } }) as Tool;
}
