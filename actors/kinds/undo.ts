/** The kind of the tasks that `cox undo` makes: it undoes what its spec names, file by file, in code and without a model. */
import type { Artifacts } from '../../bus/artifacts/artifacts.ts';
import type { UndoSpec } from '../../bus/messages.ts';
import { restoreToolName } from '../../bus/undo.ts';
import { isGivenUp, type Message } from '../../machines/conversation.ts';
import { restoreFile } from '../tools/restore-file.ts';
import { defineKind } from './define-kind.ts';
import type { CodeReply, Kind } from './kind.ts';

/** Files in one step. */
const filesAtOnce = 32;
/** One refused file must not stop the others. */
const noLimit = 1_000_000;

export const undoKind = (artifacts: Artifacts, undo: UndoSpec): Kind =>
  defineKind({
    name: 'undo',
    tools: [restoreFile(artifacts, undo)],
    limits: { steps: noLimit, failures: noLimit, repeats: noLimit },
    think: ({ messages }): CodeReply => {
      const settled = outcomes(messages);
      const open = undo.files.filter(({ path }) => !settled.has(path)).slice(0, filesAtOnce);
      if (open.length === 0) return { text: [...settled.values()].join('\n') };
      return { text: '', calls: open.map(({ path }) => ({ tool: restoreToolName, args: { path } })) };
    },
  });

/** The tool's text about each file, by its path. A file whose call was given up has none, and is tried again. */
function outcomes(messages: readonly Message[]): Map<string, string> {
  const paths = new Map(
    messages.flatMap((message) =>
      message.role === 'assistant' ? (message.calls ?? []).map(({ id, args }) => [id, (args as { path: string }).path]) : [],
    ) as [string, string][],
  );
  return new Map(
    messages.flatMap((message): [string, string][] => {
      const path = message.role === 'tool' ? paths.get(message.call) : undefined;
      return path === undefined || message.role !== 'tool' || isGivenUp(message.text) ? [] : [[path, message.text]];
    }),
  );
}
