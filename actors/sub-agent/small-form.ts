/**
 * Code decides the steps by which a small embedded model gets lost on a form: it opens the page, reads the few files of the
 * workspace, fills in and sends. The model is asked for one thing alone: the value of each field, from what was read and from the
 * words of the operator. A correction has it asked again, and only what differs is filled in again. Where anything else happens
 * than code knows, the model goes on with its tools.
 */
import { z } from 'zod';
import type { TaskSpec } from '../../bus/messages.ts';
import type { Calls, Message } from '../../machines/conversation.ts';
import type { ThinkInput } from '../../machines/sub-agent.ts';
import type { ChatMessage, RequestedCall } from '../../roster/conversation.ts';
import { clipped } from '../host/clipped.ts';
import { addressesIn, filesIn } from '../supervisor/names-in.ts';
import { announced } from '../tools/browser/consequence-words.ts';
import { listing } from '../tools/files/paths.ts';
import { readFileTool } from '../tools/files/read-file.ts';
import type { Tool } from '../tools/tool.ts';
import { isFile, resolveInside } from '../tools/workspace.ts';

type Heard = Pick<ThinkInput, 'instruction' | 'messages'>;

/** Words by which a task asks for a form to be filled in, in a few languages. */
const aboutForm =
  /\b(?:fill|form|sign up|register|apply|ausfüll\w*|formular|remplir|formulaire|rellena\w*|formulario|compila\w*)\b/iu;
/** Most files of a workspace that are read unasked, and the longest name of a list that is looked at. */
const maxRead = 2;
const mostFiles = 12;

const hasTools = (tools: readonly Tool[], ...names: string[]): boolean =>
  names.every((name) => tools.some((tool) => tool.name === name));

/** Whether the tools work on pages. */
export const hasPages = (tools: readonly Tool[]): boolean => hasTools(tools, 'goto', 'fill');

/** The first step of a task about one page: it reads what there is to read, and opens the page. */
export async function openingDue(
  spec: Pick<TaskSpec, 'context'>,
  { instruction, messages }: Heard,
  tools: readonly Tool[],
  workspace: string,
): Promise<RequestedCall[]> {
  const [url, ...others] = addressesIn(instruction);
  if (messages.length !== 1 || url === undefined || others.length > 0 || !hasTools(tools, 'goto', 'fill')) return [];
  const names = spec.context.length === 0 && tools.includes(readFileTool) ? await filesToRead(instruction, workspace) : [];
  return [...names.map((path) => ({ tool: readFileTool.name, args: { path } })), { tool: 'goto', args: { url } }].map(
    (call, at) => ({
      ...call,
      id: `open-${at}`,
    }),
  );
}

/** The files that the task names, else those of a workspace that has only a few. */
async function filesToRead(instruction: string, workspace: string): Promise<string[]> {
  const named = filesIn(instruction);
  const names = named.length > 0 ? named : await folderIn(workspace);
  const there = await Promise.all(names.map((name) => isFile(workspace, name)));
  const found = names.filter((name, at) => there[at] && /\.(?:txt|md|json|ya?ml|csv)$/i.test(name));
  return named.length > 0 || found.length <= maxRead ? found.slice(0, 4) : [];
}

const folderIn = (workspace: string): Promise<string[]> =>
  resolveInside(workspace, '.')
    .then((folder) => listing(folder, mostFiles))
    .catch(() => []);

interface Field {
  readonly ref: string;
  readonly label: string;
  /** The words of its options; null where it takes text. */
  readonly options: readonly string[] | null;
}
export interface Form {
  readonly fields: readonly Field[];
  readonly button: string;
  /** The values that were filled in, by the refs of the fields. */
  readonly filled: ReadonlyMap<string, string>;
  /** Whether the operator has said something since, or nothing was filled in yet. */
  readonly isOpen: boolean;
}

const inQuotes = (text: string): string => {
  try {
    return JSON.parse(text);
  } catch {
    return '';
  }
};
const quoted = /"(?:[^"\\]|\\.)*"/g;

/** The form that is open now; null where there is none that code can fill in. */
export function formOf({ instruction, messages }: Heard, tools: readonly Tool[]): Form | null {
  if (!aboutForm.test(instruction) || !hasTools(tools, 'goto', 'fill', 'select', 'click')) return null;
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []) : []));
  const page = messages.findLastIndex((message) => message.role === 'tool' && /^(?:\(.*\)\n)*Page http/.test(message.text));
  if (page < 0) return null;
  const lines = messages[page]!.text.split('\n');
  const fields = lines.flatMap(fieldIn);
  const buttons = lines.flatMap((line) => {
    const [, ref, label] = /^\| (\w+) button ("(?:[^"\\]|\\.)*")/.exec(line) ?? [];
    return ref && announced(inQuotes(label!)).length > 0 ? [ref] : [];
  });
  if (fields.length === 0 || buttons.length !== 1) return null;
  const after = messages.slice(page + 1);
  const done = filledIn(after, calls);
  if (done === null) return null;
  const lastWord = after.findLastIndex((message) => message.role === 'user' || isAnswer(message, calls));
  const lastFill = after.findLastIndex((message) => message.role === 'tool' && !isAnswer(message, calls));
  return { fields, button: buttons[0]!, filled: done, isOpen: done.size === 0 || lastWord > lastFill };
}

function fieldIn(line: string): Field[] {
  const [, ref, role] = /^\| (\w+) (textbox|searchbox|spinbutton|combobox) /.exec(line) ?? [];
  if (!ref || line.includes('[disabled]') || /passw/i.test(line)) return [];
  const [label = '""', ...rest] = line.match(quoted) ?? [];
  const options = role === 'combobox' && line.includes(' of ') ? rest.slice(1).map(inQuotes) : null;
  const hasLabel = line.startsWith(`| ${ref} ${role} ${label}`);
  return hasLabel && inQuotes(label) !== '' ? [{ ref, label: inQuotes(label), options }] : [];
}

/** Whether it is the operator's answer to a question. */
const isAnswer = (message: Message, calls: Calls): boolean =>
  message.role === 'tool' && calls.some(({ id, tool }) => id === message.call && tool === 'ask_operator');

/** The values that were filled in since the page was shown; null if anything else was done, or something has failed. */
function filledIn(after: readonly Message[], calls: Calls): Map<string, string> | null {
  const filled = new Map<string, string>();
  for (const message of after) {
    if (message.role !== 'tool' || isAnswer(message, calls)) continue;
    const call = calls.find(({ id }) => id === message.call);
    const { target, value, option } = (call?.args ?? {}) as { target?: string; value?: string; option?: string };
    // A correction ends the calls that have not run yet.
    if (/^not run: /.test(message.text)) continue;
    if (!target || !/^(?:\(.*\)\n)*(?:Filled in|Chose) /.test(message.text)) return null;
    filled.set(target, value ?? option ?? '');
  }
  return filled;
}

const longText = /messag|nachricht|comment|kommentar|text|question|frage|mensaje/i;

/** The shape of the model's reply: a text, or one of the options, for each field. */
export const valuesShape = ({ fields }: Form): z.ZodType<Record<string, string>> =>
  z.object(
    Object.fromEntries(
      fields.map(({ label, options }) => {
        const [first, ...rest] = options ?? [];
        return [label, first === undefined ? z.string().max(longText.test(label) ? 300 : 120) : z.enum([first, ...rest])];
      }),
    ),
  ) as unknown as z.ZodType<Record<string, string>>;

/** The request for the values of all fields. @param maxChars longest text of all that was read. */
export function valuesMessages(
  spec: Pick<TaskSpec, 'context'>,
  { messages }: Heard,
  { fields }: Form,
  maxChars: number,
): ChatMessage[] {
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []) : []));
  const read = messages.flatMap((message) => {
    const call = message.role === 'tool' ? calls.find(({ id }) => id === message.call) : undefined;
    return call && ['read_file', 'recall'].includes(call.tool)
      ? [{ title: String((call.args as { path?: string }).path ?? 'notes'), text: message.text }]
      : [];
  });
  const given = [...spec.context, ...read];
  const share = Math.floor(maxChars / Math.max(1, given.length));
  const [task, ...corrections] = messages
    .filter((message) => message.role === 'user' || isAnswer(message, calls))
    .map(({ text }) => text);
  return [
    {
      role: 'system',
      text: 'You give the values for the fields of a form. Take them from what is known, exactly as it stands there. Leave a value empty ("") if it is not known; never invent a name, an address or a number. A field for a message gets a short, polite message to whom the form goes, such as: Hello, please contact me. If the operator has corrected something, do as the correction says.',
    },
    {
      role: 'user',
      text: ['What is known:', ...given.map(({ title, text }) => `## ${title}\n${clipped(text, share)}`)].join('\n\n'),
    },
    {
      role: 'user',
      text: [
        `The task: ${task}`,
        ...corrections.map((text) => `Correction by the operator: ${text}`),
        `The fields: ${fields.map(({ label }) => label).join(', ')}`,
      ].join('\n\n'),
    },
  ];
}

/** The calls that bring the form to these values, or that send it where all is filled in, or ask about what was invented. */
export function fillingCalls(form: Form, values: Readonly<Record<string, string>>, heard: Heard): Omit<RequestedCall, 'id'>[] {
  const known = heard.messages.map(({ text }) => text).join('\n');
  const invented = form.fields.find(({ label }) => isAddress(values[label]) && !known.includes(values[label]!.trim()));
  if (invented) return [{ tool: 'ask_operator', args: { question: `What shall be filled in for ${invented.label}?` } }];
  const due = form.fields.filter(({ ref, label }) => {
    const value = (values[label] ?? '').trim();
    return value !== (form.filled.get(ref) ?? '');
  });
  if (due.length === 0 && form.filled.size === 0)
    return [{ tool: 'ask_operator', args: { question: 'What shall be filled in? Neither the task nor the files say it.' } }];
  if (due.length === 0) return [sending(form)];
  return due.map(({ ref, label, options }) => {
    const value = values[label]!.trim();
    return options ? { tool: 'select', args: { target: ref, option: value } } : { tool: 'fill', args: { target: ref, value } };
  });
}

export const sending = ({ button }: Form): Omit<RequestedCall, 'id'> => ({ tool: 'click', args: { target: button } });

const isAddress = (value: string | undefined): boolean => value?.includes('@') === true;

/** The last reply in the model's place, once the form was sent and the page shows something else. */
export function sentInWords({ messages }: Heard): string | null {
  const last = messages.at(-1);
  if (last?.role !== 'tool') return null;
  const calls = messages.flatMap((message) => (message.role === 'assistant' ? (message.calls ?? []) : []));
  if (calls.find(({ id }) => id === last.call)?.tool !== 'click') return null;
  const [, page] = /^Clicked [^\n]*\n(?:\([^\n]*\)\n)*Page (http\S+?)(?: \(|\. Lines)/.exec(last.text) ?? [];
  const lines = last.text.split('\n').filter((line) => line.startsWith('| '));
  if (!page || lines.some((line) => /^\| \w+ (?:textbox|combobox) /.test(line))) return null;
  const filled = calls.flatMap(({ tool, args }) => {
    const { target, value, option } = args as { target?: string; value?: string; option?: string };
    return tool === 'fill' || tool === 'select' ? [[target ?? '', value ?? option ?? ''] as const] : [];
  });
  const labels = new Map(messages.flatMap(({ text }) => text.split('\n').flatMap(fieldIn)).map(({ ref, label }) => [ref, label]));
  const values = [...new Map(filled)].map(([ref, value]) => `- ${labels.get(ref) ?? ref}: ${value}`);
  return ['The form was sent with', ...values, `The page ${page} says:`, ...lines.slice(0, 12)].join('\n');
}
