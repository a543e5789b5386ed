/**
 * The changes of a call in files. They are planned, shown to the operator, and carried out. All tools that write files go through
 * here.
 *
 * A call may run twice, after a crash. What the first run has kept of each file (`ToolContext.keep`) tells the second one what the
 * file was, so that it knows what is done already, and reports the same.
 */
import { z } from 'zod';
import { type Content, maxArtifactBytes } from '../../../bus/artifacts/artifacts.ts';
import type { Change } from '../../../machines/effects.ts';
import { messageOf } from '../../../platform/errors.ts';
import { Outdated, type ToolContext } from '../tool.ts';
import { type FileState, fileState, sha256, stateWith } from './file-state.ts';
import { wholeOf, withFile } from './open-file.ts';
import { explain } from './paths.ts';
import { removeFile, replaceFile } from './replace-file.ts';
import { encodeText, plainForm } from './text-form.ts';
import { lineDiff } from './unified-diff.ts';

/** A change that a tool asks for in one file. */
export interface Wanted {
  /** As the model gave it. */
  readonly path: string;
  /** The verb for a file that exists, in the question to the operator. */
  readonly verb: 'replaces' | 'changes';
  /**
   * The text that the file shall have; null: the file shall be deleted.
   * @throws Error for the model if that cannot be made of the file as it is.
   */
  make(now: FileState): Promise<string | null>;
}

export interface PlannedChange {
  /** The file as it is; of a change that an earlier run has made, as it was before. */
  readonly now: FileState;
  readonly verb: Wanted['verb'];
  readonly kind: Change['kind'];
  /** The bytes that the file shall have; null: it shall be deleted. */
  readonly after: Buffer | null;
  readonly diff: string;
  readonly added: number;
  /** null: the file is not text, or too large to count. */
  readonly removed: number | null;
  /** True: an earlier run of the call has made the change. */
  readonly isDone?: true;
  /** Name of the artifact that keeps the file as it was; null: there was none. Left out where nothing was kept. */
  readonly kept?: string | null;
}

/** @throws Error for the model if a file cannot be changed so. */
export const planned = (wanted: readonly Wanted[], context: ToolContext): Promise<PlannedChange[]> =>
  forEach(wanted, context, plannedOf);

async function forEach(
  wanted: readonly Wanted[],
  { workspace, signal }: ToolContext,
  plan: (now: FileState, it: Wanted, at: number) => Promise<PlannedChange>,
): Promise<PlannedChange[]> {
  const plans: PlannedChange[] = [];
  for (const [at, it] of wanted.entries())
    try {
      const now = await fileState(workspace, it.path, signal);
      if (plans.some((other) => other.now.file === now.file))
        throw new Error(`${it.path} is another name of a file in this call`);
      plans.push(await plan(now, it, at));
    } catch (cause) {
      throw await explain(it.path, cause, workspace);
    }
  return plans;
}

async function plannedOf(now: FileState, { make, verb }: Wanted): Promise<PlannedChange> {
  const text = await make(now);
  const after = text === null ? null : encodeText(text, now.formed?.form ?? plainForm);
  const diff = await lineDiff(now.name, now.formed?.text ?? null, text);
  const isUnknown = now.sha !== null && now.formed === null;
  const kind = now.sha === null ? 'created' : after === null ? 'deleted' : 'changed';
  return { now, verb, kind, after, diff: diff.text, added: diff.added, removed: isUnknown ? null : diff.removed };
}

/** The fingerprints of all files as the operator was shown them; null: there was no file. */
const Base = z.array(z.string().nullable());
export const baseOf = (plans: readonly PlannedChange[]): string =>
  JSON.stringify(plans.map(({ now }) => now.sha) satisfies z.infer<typeof Base>);

/** @throws Outdated if a file is neither as it was shown nor as an earlier run of this call has left it. */
function plannedToRun(wanted: readonly Wanted[], context: ToolContext): Promise<PlannedChange[]> {
  const shown = context.base === undefined ? null : Base.parse(JSON.parse(context.base));
  if (shown && shown.length !== wanted.length) throw new Outdated('the call is about other files than were shown');
  const isAsShown = ({ sha }: FileState, at: number) => shown === null || shown[at] === sha;
  return forEach(wanted, context, async (now, it, at) => {
    const { first, ...kept } = await keepFirst(now, context);
    if (first.sha !== now.sha && isAsShown(first, at)) {
      const plan = await plannedOf(first, it).catch(() => null);
      if (plan && (plan.after && sha256(plan.after)) === now.sha) return { ...plan, ...kept, isDone: true };
    }
    const plan = isAsShown(now, at) ? await plannedOf(now, it) : await plannedOf(now, it).catch(() => null);
    if (!plan || !(isAsShown(now, at) || isSame(plan))) throw new Outdated(`${now.name} has changed since it was shown`);
    return { ...plan, ...kept };
  });
}

/** Keeps the file. @returns the file as it was before the first run of the call. */
async function keepFirst(now: FileState, { keep }: ToolContext): Promise<{ first: FileState; kept?: string | null }> {
  // A larger file is not even read.
  const found = keep && now.size <= maxArtifactBytes ? await keep(await contentOf(now)) : null;
  if (!found) return { first: now };
  const { name, content } = found;
  return { first: stateWith(now, content), kept: content && name };
}

async function contentOf(now: FileState): Promise<Content | null> {
  if (now.sha === null) return null;
  if (now.data) return { bytes: now.data, mode: now.mode! };
  return await withFile(now, async (open) => {
    if (open.stamp !== now.stamp) throw new Error(`${now.name} has changed meanwhile; read it again`);
    return await wholeOf(open);
  });
}

/**
 * Changes all files or none. A file that cannot be written puts back those before it.
 * @throws Outdated if a file is another one than the operator was shown.
 */
export async function carryOut(wanted: readonly Wanted[], context: ToolContext): Promise<PlannedChange[]> {
  const { base } = context;
  const plans = await plannedToRun(wanted, context);
  const written: PlannedChange[] = [];
  for (const plan of plans) {
    if (plan.isDone || isSame(plan)) continue;
    try {
      await write(plan, base !== undefined);
      written.push(plan);
    } catch (cause) {
      const problems = await putBack(written);
      if (cause instanceof Outdated) throw cause;
      const error = await explain(plan.now.name, cause, context.workspace);
      throw problems.length > 0 ? new Error(`${error.message}; ${problems.join('; ')}`, { cause }) : error;
    }
  }
  return plans;
}

/** True: the file has the wanted bytes already. */
export const isSame = ({ now, after }: PlannedChange): boolean => after !== null && now.data?.equals(after) === true;

async function write({ now, after }: PlannedChange, isShown: boolean): Promise<void> {
  const check = (stamp: string | null) => {
    if (stamp === now.stamp) return;
    const what = `${now.name} has changed meanwhile`;
    throw isShown ? new Outdated(what) : new Error(`${what}; read it again`);
  };
  await (after ? replaceFile(now, after, now.mode, check) : removeFile(now, check));
}

/** @returns what could not be put back. */
async function putBack(written: readonly PlannedChange[]): Promise<string[]> {
  const problems: string[] = [];
  for (const { now } of written.toReversed())
    try {
      if (now.sha === null) await removeFile(now);
      else if (now.data) await replaceFile(now, now.data, now.mode);
      else problems.push(`${now.name} stays changed`);
    } catch (cause) {
      problems.push(`${now.name} stays changed (${messageOf(cause)})`);
    }
  return problems;
}

/** For the list of effects in the result. */
export const changesOf = (plans: readonly PlannedChange[]): Change[] =>
  plans.map(({ now, kind, after, added, removed, kept }) => ({
    target: now.name,
    kind,
    added,
    ...(removed !== null && { removed }),
    ...(kept !== undefined && { before: kept }),
    after: after && sha256(after),
  }));
