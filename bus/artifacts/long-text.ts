/**
 * Long texts by reference: a result is small enough for a record and a message, and its whole is an artifact of its task
 * (docs/adr/0031). The mark in a shortened text names the artifact, so that it goes wherever the text goes.
 * Rule `fits` (docs/task-protocol.md).
 */
import { beginningOf } from '../../platform/cut.ts';
import { CoxError } from '../../platform/errors.ts';
import { cutMarkIn, withCutMark } from '../cut-mark.ts';
import type { Result, WholeText } from '../messages.ts';
import type { TaskId } from '../task-id.ts';
import { type Artifacts, sha256Of } from './artifacts.ts';

/** A text above this is kept as an artifact, in bytes of UTF-8, so that a reader who is shown a part can read the rest. */
const keptAboveBytes = 16_384;
/**
 * A text above this is shortened, in bytes of UTF-8. A record has an answer up to five times, and a message of 1 MB must hold it.
 */
export const maxInlineBytes = 65_536;
/** The mark and the mark on a text that was cut off are not longer than this, in characters. */
const markChars = 640;

const mark = /^\[… [\d,]{1,20} more characters: the whole is (\S{1,200}), (\d{1,12}) bytes, sha256 ([0-9a-f]{64})\]/;

/**
 * @returns the text, or its beginning with a mark that says how much is missing and where the whole is kept.
 * @throws CoxError as `Artifacts.store` does.
 */
export async function shortened(artifacts: Artifacts, task: TaskId, text: string, signal?: AbortSignal): Promise<string> {
  if (text.length * 3 <= maxInlineBytes || Buffer.byteLength(text) <= maxInlineBytes) return text;
  const { ref, bytes, sha256 } = await stored(artifacts, task, text, signal);
  const kept = beginningWithin(text, maxInlineBytes - markChars);
  const missing = (text.length - kept.length).toLocaleString('en');
  const short = `${kept}\n\n[… ${missing} more characters: the whole is ${ref}, ${bytes} bytes, sha256 ${sha256}]`;
  const reason = cutMarkIn(text);
  return reason === null ? short : withCutMark(short, reason);
}

/**
 * Where the whole of an answer is kept. A mark counts only if it names what this task has stored.
 * @returns undefined for a short answer.
 */
export async function wholeOf(
  artifacts: Artifacts,
  task: TaskId,
  answer: string,
  signal?: AbortSignal,
): Promise<WholeText | undefined> {
  const named = wholeIn(answer);
  if (named?.ref.startsWith(`${task}/result/`) && (await isStored(artifacts, named))) return named;
  if (answer.length * 3 <= keptAboveBytes || Buffer.byteLength(answer) <= keptAboveBytes) return undefined;
  return stored(artifacts, task, answer, signal);
}

/** The content of the mark of a shortened text; null if it has none. */
export function wholeIn(text: string): WholeText | null {
  const [, ref, bytes, sha256] = mark.exec(text.slice(text.lastIndexOf('[… '))) ?? [];
  return ref === undefined ? null : { ref, bytes: Number(bytes), sha256: sha256! };
}

/** The whole output of a result. @throws CoxError `artifact-gone`, `bad-artifact`. */
export async function wholeOutput(artifacts: Pick<Artifacts, 'readMade'>, { output, whole }: Result): Promise<string | null> {
  if (output === null || !whole || Buffer.byteLength(output) === whole.bytes) return output;
  const { made, bytes } = await artifacts.readMade(whole.ref);
  if (made.sha256 !== whole.sha256)
    throw new CoxError('bad-artifact', `The artifact ${whole.ref} is not what the result was`, {
      hint: 'Somebody has written another one in its place. The result itself has the beginning.',
    });
  return Buffer.from(bytes).toString();
}

/** Whether the output of a result is not all of it. */
export const isShortened = ({ output, whole }: Pick<Result, 'output' | 'whole'>): boolean =>
  output !== null && whole !== undefined && Buffer.byteLength(output) !== whole.bytes;

/**
 * Under the digest of the text: a worker that lost the task may store another answer than the one that is committed, and must not
 * take its place.
 */
async function stored(artifacts: Artifacts, task: TaskId, text: string, signal?: AbortSignal): Promise<WholeText> {
  const bytes = Buffer.from(text);
  const place = { task, call: 'result', n: `output-${sha256Of(bytes).slice(0, 16)}` } as const;
  const made = await artifacts.store(place, { name: `${task}.txt`, type: 'text/plain', bytes }, signal);
  if (made.sha256 !== sha256Of(bytes))
    throw new CoxError('bad-artifact', `Somebody has written something else under ${made.ref}`, {
      hint: 'See who has access to the bus (docs/security.md).',
    });
  return { ref: made.ref, bytes: made.bytes, sha256: made.sha256 };
}

const isStored = (artifacts: Artifacts, { ref, sha256 }: WholeText): Promise<boolean> =>
  artifacts.head(ref).then(
    (found) => found.head.sha256 === sha256,
    (cause: unknown) => {
      if (cause instanceof CoxError && ['artifact-gone', 'bad-artifact'].includes(cause.code)) return false;
      throw cause;
    },
  );

function beginningWithin(text: string, maxBytes: number): string {
  let kept = beginningOf(text, maxBytes);
  for (let bytes = Buffer.byteLength(kept); bytes > maxBytes; bytes = Buffer.byteLength(kept))
    kept = beginningOf(kept, Math.floor((kept.length * maxBytes) / bytes) - 1);
  return kept;
}
