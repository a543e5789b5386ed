/** A tool is a zod schema, a description, an `effects` word and a function. */
import { z } from 'zod';
import type { Content, MadeArtifact } from '../../bus/artifacts/artifacts.ts';
import type { Label } from '../../bus/artifacts/label.ts';
import type { Effects, Preview } from '../../machines/conversation.ts';
import type { Change } from '../../machines/effects.ts';
import { beginningOf } from '../../platform/cut.ts';
import { CoxError, codeOf } from '../../platform/errors.ts';
import { browserToolNames } from './browser/browser-tool-names.ts';
import { toolProblem } from './tool-problem.ts';

export type { MadeArtifact };
/** Something that a call made, such as a picture or a download. `name` is the name of a file. */
export interface Making extends Label {
  readonly bytes: Uint8Array;
}

export interface ToolContext {
  /** The caller: the id of the task, or `primary`. */
  readonly task: string;
  /** Absolute path that file tools are confined to. */
  readonly workspace: string;
  /** Whether the backend of the task takes pictures (`ToolOutput.images`). */
  readonly sees?: boolean;
  /** Fires when the call is not needed any more. A tool that writes may finish, unless the task ends. */
  readonly signal: AbortSignal;
  /** The same for every run of one call, so that a service that knows idempotency keys can drop a second run. */
  readonly idempotencyKey: string;
  /** Fingerprint of the target as the preview showed it (`Preview.base`). Left out where the call did not depend on a preview. */
  readonly base?: string;
  /**
   * Keeps what the call is about to replace, so that the call can be undone (`Change.before`). To be called before each thing
   * that is replaced, in the same order in every run of the call.
   * @param content null: there is nothing to replace yet.
   * @returns what the first run of this call has kept; null if it cannot be kept, for instance because it is too large.
   */
  keep?(content: Content | null): Promise<Kept | null>;
  /**
   * Stores something that the call made, such as a picture or a download, as an artifact of its task. In every run of the call
   * it must store the same things in the same order: the first run's stay, and a later run is given those. The salvage of the
   * result lists them.
   * @returns the artifact, with its name and type made harmless.
   * @throws CoxError `artifact-too-big` above 64 MB, `too-many-artifacts` above 32 of the call, 256 of the task or 512 MB of the
   * task.
   */
  store?(made: Making): Promise<MadeArtifact>;
  /**
   * Reads an artifact that a task of the same tree has stored.
   * @throws CoxError `artifact-refused` for another tree, `artifact-gone`, `bad-artifact`.
   */
  artifact?(ref: string): Promise<Making>;
}
export interface Kept {
  /** Name of the artifact. */
  readonly name: string;
  readonly content: Content | null;
}
export interface ToolOutput {
  readonly text: string;
  /** Names of files and other things that the tool made, for the salvage of the result. What it has stored is listed anyway. */
  readonly artifacts?: readonly string[];
  /** What the call changed, for the list of effects in the result. */
  readonly changes?: readonly Change[];
  /** What the call really read, such as paths or addresses. The result's sources are made of them. */
  readonly sources?: readonly string[];
  /**
   * Refs of artifacts (pictures) that the model is to see, at most 16. A backend that takes no pictures gets their names, types and
   * sizes in words.
   */
  readonly images?: readonly string[];
}
export interface ToolPreview extends Preview {
  /** The whole text, where `text` had to be cut. */
  readonly whole?: string;
  /** Whether the operator is asked about the call, if its tool decides that (`Tool.decides`). Default: true. */
  readonly ask?: boolean;
}
/**
 * Thrown by `run` if the target is not as the preview showed it (`ToolContext.base`). The operator who allowed the call is asked
 * again; where nobody was asked, the model is told.
 */
export class Outdated extends Error {}
/** Thrown by `preview` and `run` if the operator's rules forbid the call. It is listed as denied. */
export class Denied extends Error {}
/** Whether a rule forbids the call: also the address that it leads to may be closed (`WebRefused`). */
export const isDenied = (cause: unknown): boolean => cause instanceof Denied || codeOf(cause) === 'web-refused';
/** Thrown by `run` of a call that writes if nobody knows whether it took effect. It is not repeated: the operator is asked. */
export class InDoubt extends Error {}

export interface Tool<Args = unknown> {
  readonly name: string;
  readonly description: string;
  readonly args: z.ZodType<Args>;
  /** The effects of a call on the world: `none` only reads, `idempotent` may run twice, `writes` is every other effect. */
  readonly effects: Effects;
  /** The effects of one call, where they depend on its arguments. Default: `effects`. */
  effectsOf?(args: Args): Effects;
  /** True for `ask_operator` alone: a call is a question to the operator, and the answer is its result. `run` is never called. */
  readonly asks?: boolean;
  /**
   * True: `preview` also decides about each call. It throws for a call that must not run, and says by `ask` whether the operator is
   * asked. A roster or a task that has all calls of the tool asked about still does. Default: the roster decides for all calls.
   */
  readonly decides?: true;
  /** What a call is about, such as a path. */
  target?(args: Args): string;
  /**
   * What a call would do, for the operator who is asked to allow it. Changes nothing.
   * @throws Error if the call would be refused anyway, such as a path outside of the workspace. Then nobody is asked.
   */
  preview?(args: Args, context: ToolContext): Promise<ToolPreview>;
  /**
   * The present state of the target, in a line for the operator who is asked whether a call ran that was lost in the middle.
   * Changes nothing.
   */
  look?(args: Args, context: ToolContext): Promise<string>;
  /** @throws Error whose message tells the model what was wrong and what to try. */
  run(args: Args, context: ToolContext): Promise<ToolOutput>;
}

/**
 * Checks the type of the arguments inside the definition and hides it outside, so that one list can have tools with different
 * arguments.
 * @throws CoxError `bad-tool`, which says what is wrong.
 */
export function defineTool<Args>(tool: Tool<Args>): Tool {
  const problem = toolProblem(tool);
  if (problem)
    throw new CoxError('bad-tool', `This tool cannot be used: ${problem}`, {
      hint: 'docs/library.md describes the parts of a tool.',
    });
  return tool as Tool;
}

/** Whether the tool may make a file, as far as its definition tells. What it is about could also be a page. */
export const makesFiles = ({ name, effects, target }: Tool): boolean =>
  effects !== 'none' && target !== undefined && !browserToolNames.has(name);

/** The description of a tool that a model gets. */
export function toolSpec(tool: Tool): ToolSpec {
  const made = specs.get(tool) ?? specOf(tool);
  specs.set(tool, made);
  return made;
}
const specs = new WeakMap<Tool, ToolSpec>();
type ToolSpec = { readonly name: string; readonly description: string; readonly parameters: object };
function specOf({ name, description, args }: Tool): ToolSpec {
  const { $schema: _, ...parameters } = z.toJSONSchema(args, { io: 'input' });
  return { name, description, parameters };
}

/** Longest output of a tool in characters. A longer one would push the task itself out of a small model's context. */
export const maxOutputChars = 12_000;
export const clip = (text: string, hint: string): string =>
  text.length <= maxOutputChars
    ? text
    : `${beginningOf(text, maxOutputChars)}\n[cut off after ${maxOutputChars} of ${text.length} characters; ${hint}]`;
