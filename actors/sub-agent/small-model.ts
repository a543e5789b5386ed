/**
 * Code decides the steps that a small embedded model gets wrong. Such a model answers and writes before it has read, claims to
 * have written, mistypes names, and copies what it has read as soon as it writes JSON. So code reads the files that a task names.
 * Where a task must write files, code asks for the content of a new one as plain text, and makes the call that writes it; a file
 * that is to be changed is left to the model's tools, for no other file. All that ends with the first words of the operator.
 */
import type { Produced, TaskSpec } from '../../bus/messages.ts';
import { deniedBy } from '../../machines/answer.ts';
import type { Calls, Message } from '../../machines/conversation.ts';
import type { ThinkInput } from '../../machines/sub-agent.ts';
import { fitted } from '../../platform/cut.ts';
import type { ChatMessage, ModelRequest, RequestedCall, ToolSpec } from '../../roster/conversation.ts';
import { clipped } from '../host/clipped.ts';
import { filesIn, refsIn } from '../supervisor/names-in.ts';
import { bytesAt, withFile } from '../tools/files/open-file.ts';
import { readFileTool } from '../tools/files/read-file.ts';
import { writeFileTool } from '../tools/files/write-file.ts';
import { type Tool, toolSpec } from '../tools/tool.ts';
import { lookAtName } from '../tools/vision/look-at.ts';
import { readDocumentName } from '../tools/vision/read-document.ts';
import { isFile, resolveInside } from '../tools/workspace.ts';

type Spec = Pick<TaskSpec, 'instruction' | 'produces' | 'context'>;
type Heard = Pick<ThinkInput, 'instruction' | 'messages' | 'wanted'>;
export type Offer = Required<Pick<ModelRequest, 'tools'>> & Pick<ModelRequest, 'toolChoice'>;

/** Most files that code reads for a task. Further ones are left to the model. */
const maxRead = 4;

/** A patch is more than a small model can write: it counts lines. */
const tooHard: ReadonlySet<string> = new Set(['apply_patch']);

const isWriting = ({ effects }: Tool): boolean => effects !== 'none';

const filesOf = (produces: readonly Produced[] | undefined): string[] =>
  (produces ?? []).flatMap((produced) => ('file' in produced ? [produced.file] : []));

/** Whether nobody has changed the task: only code has said something since, about what is missing. */
function isUnsteered(spec: Spec, { instruction, messages }: Heard): boolean {
  const [first, ...later] = messages.filter(({ role }) => role === 'user');
  return (
    instruction === spec.instruction &&
    first?.text === instruction &&
    later.every(({ text }) => text.startsWith('You are not done: ')) &&
    messages.every((message) => (wordsOfDenial(message)?.length ?? 0) <= 1)
  );
}

/** The words with which the operator denied a call; null if the message is no denial. One word alone says nothing but no. */
const wordsOfDenial = ({ role, text }: Message): string[] | null =>
  role === 'tool' && text.startsWith(deniedBy) ? text.slice(deniedBy.length).trim().split(/\s+/) : null;

/**
 * The files that a task is to read first: those that its instruction names, and those that it changes; of pictures and documents
 * those that its kind can look at, artifacts too. A small model would answer or write without having read them.
 * @returns nothing if the model has begun already.
 */
export async function readsDue(spec: Spec, heard: Heard, tools: readonly Tool[], workspace: string): Promise<RequestedCall[]> {
  const written = filesOf(spec.produces);
  if (heard.messages.length !== 1 || !isUnsteered(spec, heard)) return [];
  const has = (tool: string) => tools.some(({ name }) => name === tool);
  // The result of an earlier sub-task stands for the file that it is named after.
  const known = new Set(spec.context.map(({ title }) => title));
  const names = [...new Set([...filesIn(spec.instruction), ...written])].filter((name) => !known.has(name));
  const there = await Promise.all(names.map((name) => isFile(workspace, name)));
  const looks = refsIn([spec.instruction, ...spec.context.map(({ text }) => text)].join('\n')).map((picture) => ({
    tool: lookAtName,
    args: { picture, question: questionOf(spec) },
  }));
  const reads = names.filter((_, at) => there[at]).map((name) => readingOf(name, spec));
  return [...reads, ...looks]
    .filter(({ tool }) => has(tool))
    .slice(0, maxRead)
    .map((read, at) => ({ id: `read-${at}`, ...read }));
}

/** Where another backend looks at a picture, it can answer for the small model, which reads the question again in its call. */
const questionOf = ({ instruction }: Spec): string => fitted(instruction, maxAskedChars);
const maxAskedChars = 400;

function readingOf(path: string, spec: Spec): Pick<RequestedCall, 'tool' | 'args'> {
  if (/\.(png|jpe?g|webp|gif|bmp|avif)$/i.test(path))
    return { tool: lookAtName, args: { picture: path, question: questionOf(spec) } };
  if (/\.pdf$/i.test(path)) return { tool: readDocumentName, args: { document: path } };
  return { tool: readFileTool.name, args: { path } };
}

/** The file whose content the model is to give now; null where it shall use tools. */
export function contentDue(spec: Spec, heard: Heard, tools: readonly Tool[]): string | null {
  if (!tools.includes(writeFileTool) || !isUnsteered(spec, heard)) return null;
  const calls = callsIn(heard.messages);
  const read = pathsOf(calls, readFileTool);
  // Without anything to read the model may first have to look for it.
  if (read.length === 0 && spec.context.length === 0) return null;
  const next = filesOf(spec.produces).find((file) => !pathsOf(calls, writeFileTool).includes(file));
  return next === undefined || read.includes(next) ? null : next;
}

interface Given {
  /** The prompt of the kind. */
  readonly prompt: string;
  /** Notes of the workspace; may be empty. */
  readonly notes: string;
  /** Longest text of all that was read. */
  readonly maxChars: number;
}

interface Content {
  readonly messages: readonly ChatMessage[];
  /** Names of what was read of which only a part fits. */
  readonly cut: readonly string[];
}

/** The request for the content of a file: what was read, then the task, and no tools. */
export function contentMessages(spec: Spec, heard: Heard, file: string, { prompt, notes, maxChars }: Given): Content {
  const calls = callsIn(heard.messages);
  const results = heard.messages.flatMap((message) => {
    const path =
      message.role === 'tool' &&
      pathsOf(
        calls.filter(({ id }) => id === message.call),
        readFileTool,
      )[0];
    return path ? [{ title: path, text: message.text }] : [];
  });
  const given = [...spec.context, ...results];
  const share = Math.floor(maxChars / Math.max(1, given.length));
  const messages: ChatMessage[] = [
    {
      role: 'system',
      text: `${prompt.trim()}\n\nHere you have no tools. What the task needs was read for you. You give the content of one file.`,
    },
    ...(notes ? [{ role: 'user' as const, text: notes }] : []),
    { role: 'user', text: given.map(({ title, text }) => `## ${title}\n${clipped(text, share)}`).join('\n\n') },
    {
      role: 'user',
      text: `${spec.instruction}\n\nReply with the content of ${file} and nothing else: no introduction, no explanation, no marks around it.`,
    },
  ];
  const isCut = (text: string) => text.length > share || /go on with offset \d+\]\s*$/.test(text);
  return { messages, cut: given.filter(({ text }) => isCut(text)).map(({ title }) => title) };
}

/** The call that writes the reply of a model as a file. A fence around the whole of it is not part of the content. */
export function writingOf(file: string, reply: string): RequestedCall {
  const fenced = /^\s*```[^\n`]*\n([\s\S]*?)\n?```\s*$/.exec(reply);
  const text = (fenced && !fenced[1]!.includes('```') ? fenced[1]! : reply).trim();
  return { id: 'write', tool: writeFileTool.name, args: { path: file, text: `${text}\n` } };
}

/**
 * Writes the last reply in the model's place. The reply lists the files, once each has the text that the model gave; or it says
 * that the operator has denied one without telling what to do instead, because a small model would ask for the same again.
 * @returns null as long as neither is so.
 */
export async function closing(spec: Spec, heard: Heard, workspace: string): Promise<string | null> {
  const files = filesOf(spec.produces);
  if (files.length === 0 || !isUnsteered(spec, heard)) return null;
  const last = heard.messages.findLast(({ role }) => role === 'tool');
  if (last && wordsOfDenial(last)) return `The operator has denied it; not written: ${files.join(', ')}.`;
  if (heard.messages.at(-1)?.role !== 'tool') return null;
  const calls = callsIn(heard.messages);
  const said: string[] = [];
  for (const file of files) {
    const given = calls.findLast((call) => isAbout(call, writeFileTool, file));
    const { text } = (given?.args ?? {}) as { text?: string };
    if (text === undefined || (await contentOf(workspace, file)) !== text) return null;
    said.push(`${file} is written:\n\n${text.trim()}`);
  }
  return said.join('\n\n');
}

const contentOf = (workspace: string, file: string): Promise<string | null> =>
  resolveInside(workspace, file)
    .then((path) => withFile(path, (open) => bytesAt(open, 0, open.size)))
    .then((bytes) => bytes.toString('utf8'))
    .catch(() => null);

/**
 * The tools for one step of a small model, and which of them it may call now. The list stays the same during a task, because the
 * prompt begins with it, and a prompt that begins differently is read again as a whole.
 */
export function offered(spec: Spec, heard: Heard, tools: readonly Tool[]): Offer {
  const known = tools.filter(({ name }) => !tooHard.has(name));
  const written = filesOf(spec.produces);
  // Code has looked at everything that the task names; a small model would look again and again.
  if (written.length === 0 && isUnsteered(spec, heard) && hasLooked(heard.messages))
    return { tools: known.map(toolSpec), toolChoice: 'none' };
  if (spec.produces?.length === 0 && isUnsteered(spec, heard))
    return { tools: known.filter((tool) => !isWriting(tool)).map(toolSpec) };
  if (written.length === 0 || !isUnsteered(spec, heard)) return { tools: known.map(toolSpec) };
  const calls = callsIn(heard.messages);
  const read = pathsOf(calls, readFileTool);
  const fitting = known
    // A part of a file can only be replaced where there is a file.
    .filter(({ name }) => name !== 'edit_file' || written.some((file) => read.includes(file)))
    .filter((tool) => isWriting(tool) || tool.asks || (read.length === 0 && spec.context.length === 0));
  const specs = fitting.map((tool) => (isWriting(tool) ? onlyFor(written, toolSpec(tool)) : toolSpec(tool)));
  const end = heard.messages.at(-1);
  const last = end?.role === 'tool' ? calls.find(({ id }) => id === end.call) : undefined;
  if (last && fitting.some((tool) => isWriting(tool) && tool.name === last.tool)) return { tools: specs };
  if (heard.wanted !== null && fitting.some(({ name }) => name === heard.wanted))
    return { tools: specs, toolChoice: { mode: 'required', only: [heard.wanted] } };
  return { tools: specs, toolChoice: 'required' };
}

/** Whether the first reply, which code has made, looked at pictures or documents, and nothing else has been done since. */
function hasLooked(messages: readonly Message[]): boolean {
  const [first, ...later] = messages.filter((message) => message.role === 'assistant');
  const calls = first?.role === 'assistant' ? (first.calls ?? []) : [];
  return later.length === 0 && first?.text === '' && calls.some(({ tool }) => tool === lookAtName || tool === readDocumentName);
}

const callsIn = (messages: readonly Message[]): Calls =>
  messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []) : []));

const pathOf = ({ args }: { readonly args: unknown }): string => String((args as { path?: unknown } | null)?.path ?? '');
const isAbout = (call: Calls[number], { name }: Tool, file: string): boolean => call.tool === name && pathOf(call) === file;
const pathsOf = (calls: Calls, { name }: Tool): string[] => calls.filter(({ tool }) => tool === name).map(pathOf);

/** The tool, for no other files than these. */
function onlyFor(files: readonly string[], spec: ToolSpec): ToolSpec {
  const { properties, ...parameters } = spec.parameters as { properties?: Record<string, object> };
  if (!properties?.path) return spec;
  const text = properties.text && { text: { ...properties.text, description: 'the whole new content of the file' } };
  return {
    ...spec,
    parameters: { ...parameters, properties: { ...properties, path: { type: 'string', enum: files }, ...text } },
  };
}
