/** Builds the request of a step again from its record, by the code that sends it. No backend is called for it. */
import type { Rebuild } from '../../bus/journal/journal.ts';
import type { PromptMessage } from '../../bus/journal/journal-messages.ts';
import type { KeptMessage } from '../../bus/journal/kept-conversation.ts';
import type { Step } from '../../bus/journal/steps.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import type { Message } from '../../machines/conversation.ts';
import type { SubAgentContext } from '../../machines/sub-agent.ts';
import { withTimeLimit } from '../../platform/time-limit.ts';
import type { Backends } from '../../roster/backends.ts';
import type { ChatMessage } from '../../roster/conversation.ts';
import { digestOf } from '../host/prompt-digest.ts';
import type { Kinds } from '../kinds/kinds.ts';
import type { Pictures } from './pictures.ts';
import { type Choice, requestFor } from './request-of-step.ts';
import { withReading } from './role.ts';
import { notesInWords, workspaceNotes } from './workspace-notes.ts';

export interface RebuildOptions {
  readonly kinds: Pick<Kinds, 'get'>;
  readonly backends: Backends;
  readonly pictures: Pictures;
  /** As of a node: the folder of a task's files. @throws CoxError `workspace-refused`. */
  readonly folderOf: (asked: string | null) => string;
}

/** Reading a folder or a picture may take this long, in ms. */
const mostMs = 20_000;

export const rebuilding =
  (options: RebuildOptions): Rebuild =>
  async (record, step, told) => {
    if (step.backend === null) return null;
    const choice = await requestOfStep(options, record, step, told, step.backend);
    if (!choice) return null;
    const { request, notes, shortened } = choice;
    return {
      messages: request.messages.map(shown),
      tools: (request.tools ?? []).map(({ name }) => name),
      digest: digestOf(request, notes),
      shortened,
    };
  };

/** @returns null for a task that thinks in code, or whose kind is not known here. */
export async function requestOfStep(
  { kinds, folderOf, ...options }: RebuildOptions,
  record: StateRecord,
  { step, instruction }: Pick<Step, 'step' | 'instruction'>,
  told: readonly KeptMessage[],
  backend: string,
): Promise<Choice | null> {
  const { spec } = record;
  const known = spec.undo || spec.type === 'supervisor' ? null : kinds.get(spec.type);
  if (!known || known.think) return null;
  const kind = withReading(known, spec);
  const messages = told as unknown as readonly Message[];
  const { missing } = (record.snapshot?.context ?? {}) as Partial<SubAgentContext>;
  const isTold = messages.some(({ role, text }) => role === 'user' && missing && text.endsWith(missing.what));
  return withTimeLimit(mostMs, async (signal) => {
    // The folder may be gone, or on another machine.
    const read = async () => workspaceNotes(folderOf(spec.workspace), kind.tools, messages, signal);
    const { notes } = await read().catch(() => ({ notes: [] }));
    const input = {
      ...{ instruction, backend: spec.backend, messages, step, leftUsd: null },
      ...{ wanted: isTold ? (missing?.tool ?? null) : null, notes: notesInWords(notes) },
    };
    return requestFor({ spec, note: () => {} }, { ...options, kind }, input, backend, false, signal);
  });
}

/** Most messages of a prompt are those of the prompt before: a reader sees by their identity what is new. */
const seen = new WeakMap<ChatMessage, PromptMessage>();
function shown(message: ChatMessage): PromptMessage {
  const made = seen.get(message) ?? inWords(message);
  seen.set(message, made);
  return made;
}

function inWords(message: ChatMessage): PromptMessage {
  const { role, text } = message;
  if (message.role === 'tool')
    return { role, text, call: message.call, ...(message.images && { images: message.images.map(({ ref }) => ref) }) };
  if (message.role !== 'assistant') return { role, text };
  const calls = message.calls?.map(({ id, tool, args }) => ({ id, tool, args }));
  return { role, text, ...(calls && { calls }), ...(message.unfinished && { unfinished: true }) };
}
