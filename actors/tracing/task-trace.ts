/**
 * Makes the spans and figures of one claim of a task: task → step → model call or tool, and a span for each steer, to which the
 * step that saw it is linked. Invariants:
 * - A span is made when it has ended, once. That of a task is made by the worker that writes its last commit.
 * - Ids are derived (bus/trace-context.ts), so a span that another node has yet to make can be named as parent.
 * - The step of a lost worker is ended by the next worker, at its claim, and marked.
 */
import type { Steering } from '../../bus/log/steering-log.ts';
import type { Failure, Receipt } from '../../bus/messages.ts';
import type { StateRecord } from '../../bus/state/state-record.ts';
import { parentOf, type TaskId } from '../../bus/task-id.ts';
import { parseTraceparent, type SpanRef, spanOf } from '../../bus/trace-context.ts';
import { codeOf, messageOf } from '../../platform/errors.ts';
import type { Backends } from '../../roster/backends.ts';
import type { ObservedTask, TaskObserver } from '../host/observer.ts';
import type { Tool } from '../tools/tool.ts';
import type { Attributes, Figures } from './figures.ts';
import { attr, figure, operation, providerOf } from './gen-ai.ts';
import { contentOf, inputMessages, outputMessages } from './message-content.ts';
import { type ModelCallSeen, observedBackends, observedTool, type ToolCallSeen } from './observed-calls.ts';
import type { SpanData } from './span-queue.ts';

export interface TraceOptions {
  readonly namespace: string;
  readonly node: string;
  readonly figures: Figures;
  /** Takes a span; null for a trace that is not kept. */
  readonly span: ((span: SpanData) => void) | null;
  readonly capturesContent: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
}

/** A step under way. */
interface OpenStep {
  readonly step: number;
  readonly startMs: number;
  readonly links: SpanRef[];
  readonly ref: SpanRef;
}

export class TaskTrace implements TaskObserver {
  readonly #options: TraceOptions;
  readonly #task: ObservedTask;
  readonly #id: TaskId;
  readonly #common: Attributes;
  #record: StateRecord;
  #open: OpenStep | null = null;
  readonly #claimedMs: number;
  readonly #self: SpanRef;
  #isTold = false;
  /** When the log stored the steers that this claim has read, and the contexts that they carried. */
  readonly #taken = new Map<string, { readonly at: number; readonly from: SpanRef | null }>();

  constructor(options: TraceOptions, task: ObservedTask) {
    this.#options = options;
    this.#task = task;
    this.#record = task.record;
    this.#id = task.record.id;
    const { epoch, spec } = task.record;
    this.#common = { [attr.task]: this.#id, [attr.node]: options.node, [attr.epoch]: epoch, [attr.agent]: spec.type };
    this.#claimedMs = options.now();
    this.#self = spanOf(options.namespace, this.#id);
  }

  took({ steer, at, traceparent }: Steering): void {
    this.#taken.set(steer, { at, from: parseTraceparent(traceparent) });
  }

  committed(record: StateRecord): void {
    this.#record = record;
    // A claim counts once a commit of it is stored.
    if (!this.#isTold) this.#begun();
    const { last } = record;
    if (!last) return;
    const at = Date.parse(last.at);
    this.#enter(last.step, at);
    for (const receipt of last.receipts) this.#received(receipt, at);
  }

  left(how: 'done' | 'given-back' | 'lost'): void {
    if (how === 'lost') return;
    const { last } = this.#record;
    this.#endStep(how === 'done' && last ? Date.parse(last.at) : this.#options.now());
    if (how === 'done') endTask(this.#options, this.#record, this.#task.sent?.at ?? null);
  }

  backends(backends: Backends): Backends {
    return observedBackends(backends, this.#options.now, () => {
      const parent = this.#enter(this.#task.step(), this.#options.now());
      return (call) => this.#called(call, parent);
    });
  }

  tool(tool: Tool): Tool {
    return observedTool(tool, this.#options.now, () => {
      const parent = this.#enter(this.#task.step(), this.#options.now());
      return (call) => this.#ran(tool, call, parent);
    });
  }

  // --- spans

  /** The span of a part of the task. */
  #ref(...parts: readonly (string | number)[]): SpanRef {
    return spanOf(this.#options.namespace, this.#id, ...parts);
  }

  #begun(): void {
    this.#isTold = true;
    if (this.#task.record.epoch === 1) this.#queued();
    if (isFromLost(this.#task, this.#claimedMs)) this.#endLost();
    // A machine that goes on with a step from before.
    const step = this.#task.record.last?.step;
    if (step !== undefined && this.#open === null) this.#enter(step, this.#claimedMs);
  }

  /** The wait of the first ticket. */
  #queued(): void {
    const { sent, record } = this.#task;
    if (!sent) return;
    const endMs = this.#claimedMs;
    const from = parseTraceparent(sent.traceparent);
    const ref = this.#ref('queue');
    this.#options.figures.add(figure.queue, Math.max(0, endMs - sent.at) / 1000, { [attr.agent]: record.spec.type });
    this.#options.span?.({
      ...{ ref, parent: this.#self, name: `queue ${record.spec.type}`, kind: 'consumer' },
      ...{ startMs: Math.min(sent.at, endMs), endMs, attributes: this.#common },
      ...(from && from.traceId !== ref.traceId && { links: [from] }),
    });
  }

  #endLost(): void {
    const { last, spec } = this.#task.record;
    this.#options.figures.add(figure.lost, 1, { [attr.agent]: spec.type });
    if (!last || last.epoch !== this.#task.record.epoch - 1) return;
    this.#options.span?.({
      ...{ ref: this.#ref('step', last.step, last.epoch), parent: this.#self, name: `step ${last.step}`, kind: 'internal' },
      ...{ startMs: Date.parse(last.lastTransitionAt ?? last.at), endMs: this.#claimedMs },
      attributes: {
        ...this.#common,
        [attr.step]: last.step,
        [attr.epoch]: last.epoch,
        [attr.node]: last.node,
        [attr.lost]: true,
      },
      error: `its worker was lost; ${this.#options.node} goes on`,
    });
  }

  /** Begins the span of a step, unless it is under way. @returns the span that calls of this step belong to. */
  #enter(step: number, at: number): SpanRef {
    // The step before the first model call is none: the machine is idle, or ended without one.
    if (step === 0) return this.#self;
    if (this.#open?.step !== step) {
      this.#endStep(at);
      this.#open = { step, startMs: at, links: [], ref: this.#ref('step', step, this.#task.record.epoch) };
    }
    return this.#open.ref;
  }

  #endStep(endMs: number): void {
    const open = this.#open;
    this.#open = null;
    if (!open) return;
    const { ref, step, startMs, links } = open;
    this.#options.span?.({
      ...{ ref, parent: this.#self, name: `step ${step}`, kind: 'internal' },
      ...{ startMs, endMs: Math.max(startMs, endMs), attributes: { ...this.#common, [attr.step]: step }, links },
    });
  }

  #received({ steer, kind, fate, step, reason, by }: Receipt, at: number): void {
    if (fate !== 'applied' && fate !== 'returned') return;
    const taken = this.#taken.get(steer);
    this.#taken.delete(steer);
    const ref = this.#ref('steer', steer);
    if (fate === 'applied' && this.#open && step === this.#open.step) this.#open.links.push(ref);
    if (taken)
      this.#options.figures.add(figure.steer, Math.max(0, at - taken.at) / 1000, {
        [attr.steerKind]: kind,
        [attr.steerFate]: fate,
      });
    this.#options.span?.({
      ...{ ref, parent: this.#self, name: `steer ${kind}`, kind: 'consumer', startMs: Math.min(taken?.at ?? at, at), endMs: at },
      attributes: {
        ...this.#common,
        ...{ [attr.steer]: steer, [attr.steerKind]: kind, [attr.steerFate]: fate },
        ...(step !== undefined && { [attr.step]: step }),
        ...(by && { [attr.steerBy]: by }),
      },
      ...(taken?.from && taken.from.traceId !== ref.traceId && { links: [taken.from] }),
      // The reason may quote what the operator or a model has written.
      ...(fate === 'returned' && { error: this.#options.capturesContent && reason ? contentOf(reason) : 'returned' }),
    });
  }

  #called(seen: ModelCallSeen, parent: SpanRef): void {
    countCall(this.#options.figures, seen);
    const { span, capturesContent } = this.#options;
    if (!span) return;
    const { backend, entry, request, reply, usage, startMs, endMs, firstMs, error } = seen;
    span({
      ...{ ref: this.#ref('chat', crypto.randomUUID()), parent, kind: 'client', startMs, endMs },
      name: `${operation.chat} ${entry?.model ?? backend}`,
      attributes: {
        ...{ ...this.#common, ...callAttributes(seen), [attr.conversation]: this.#id, [attr.stream]: true },
        [attr.step]: this.#task.step(),
        ...(request.temperature !== undefined && { [attr.temperature]: request.temperature }),
        ...(request.maxOutputTokens !== undefined && { [attr.maxTokens]: request.maxOutputTokens }),
        ...(request.schema && { [attr.outputType]: 'json' }),
        ...(reply && { [attr.finishReasons]: [reply.finish === 'tools' ? 'tool_calls' : reply.finish] }),
        ...(firstMs !== null && { [attr.firstChunk]: (firstMs - startMs) / 1000 }),
        ...{ [attr.inputTokens]: usage.inputTokens, [attr.outputTokens]: usage.outputTokens, [attr.costUsd]: usage.costUsd },
        ...(usage.estimatedUsd && { [attr.estimatedUsd]: usage.estimatedUsd }),
        ...(capturesContent && { [attr.inputMessages]: inputMessages(request.messages) }),
        ...(capturesContent && reply && { [attr.outputMessages]: outputMessages(reply) }),
      },
      ...(error !== null && { error }),
    });
  }

  #ran({ name }: Tool, { call, args, startMs, endMs, output, error }: ToolCallSeen, parent: SpanRef): void {
    const failed = error !== null && { [attr.error]: codeOf(error) || 'tool-failed' };
    const { figures, span, capturesContent } = this.#options;
    figures.add(figure.tool, (endMs - startMs) / 1000, { [attr.operation]: operation.tool, [attr.tool]: name, ...failed });
    span?.({
      ...{ ref: this.#ref('call', call, crypto.randomUUID()), parent, kind: 'internal', startMs, endMs },
      name: `${operation.tool} ${name}`,
      attributes: {
        ...{ ...this.#common, [attr.operation]: operation.tool, [attr.tool]: name, [attr.toolType]: 'function' },
        ...{ [attr.toolCall]: call, [attr.step]: this.#task.step(), ...failed },
        ...(capturesContent && { [attr.toolArguments]: contentOf(args) }),
        ...(capturesContent && { [attr.toolResult]: contentOf(output?.text ?? messageOf(error)) }),
      },
      // The text of an error may be content: a path, or what a page said.
      ...(error !== null && { error: capturesContent ? contentOf(messageOf(error)) : 'the tool failed' }),
    });
  }
}

/** A claim of a held task: its ticket came again, and the worker before may be frozen (rule `in-doubt`). */
const isFromLost = ({ redelivered, record }: ObservedTask, nowMs: number): boolean =>
  redelivered && record.epoch > 1 && Date.parse(record.doubtfulUntil ?? '') > nowMs;

/** Makes the span of a task that has its result. @param queuedMs when its first ticket was sent, if that is known here. */
export function endTask(
  { namespace, node, figures, span }: Pick<TraceOptions, 'namespace' | 'node' | 'figures' | 'span'>,
  { id, spec, epoch, createdAt, last, result }: Pick<StateRecord, 'id' | 'spec' | 'epoch' | 'createdAt' | 'last' | 'result'>,
  queuedMs: number | null,
  ended?: { readonly failure: Failure | null; readonly atMs: number },
): void {
  const endMs = ended?.atMs ?? Date.parse(last?.at ?? createdAt);
  const created = Date.parse(createdAt);
  const startMs = Math.min(epoch === 1 && queuedMs !== null ? Math.min(created, queuedMs) : created, endMs);
  const outcome = ended ? (ended.failure ? 'failed' : 'cancelled') : (result?.outcome ?? 'failed');
  const failure = ended ? ended.failure : (result?.failure ?? null);
  const usage = result?.usage ?? last?.usage;
  const failed = failure && { [attr.error]: failure.code };
  const kind = { [attr.operation]: operation.agent, [attr.agent]: spec.type };
  figures.add(figure.agent, (endMs - startMs) / 1000, { ...kind, ...failed });
  figures.add(figure.tasks, 1, { [attr.agent]: spec.type, [attr.outcome]: outcome });
  const parent = parentOf(id);
  span?.({
    ref: spanOf(namespace, id),
    parent: parent === null ? null : spanOf(namespace, parent),
    ...{ name: `${operation.agent} ${spec.type}`, kind: 'internal', startMs, endMs },
    attributes: {
      ...{ ...kind, [attr.task]: id, [attr.node]: node, [attr.epoch]: epoch, [attr.outcome]: outcome, [attr.conversation]: id },
      ...{ [attr.steps]: last?.step ?? 0, ...failed },
      ...(usage && {
        [attr.inputTokens]: usage.inputTokens,
        [attr.outputTokens]: usage.outputTokens,
        [attr.costUsd]: usage.costUsd,
      }),
      ...(usage?.estimatedUsd && { [attr.estimatedUsd]: usage.estimatedUsd }),
    },
    ...(failure && { error: failure.code }),
  });
}

const callAttributes = ({ backend, entry, error }: ModelCallSeen): Attributes => ({
  ...{ [attr.operation]: operation.chat, [attr.provider]: providerOf(entry?.kind), [attr.backend]: backend },
  ...(entry?.model && { [attr.model]: entry.model }),
  ...(error !== null && { [attr.error]: error }),
});

export function countCall(figures: Figures, seen: ModelCallSeen): void {
  const attributes = callAttributes(seen);
  const { [attr.error]: _, ...plain } = attributes;
  const { usage, startMs, endMs, firstMs } = seen;
  figures.add(figure.inference, (endMs - startMs) / 1000, attributes);
  if (firstMs !== null) figures.add(figure.firstChunk, (firstMs - startMs) / 1000, plain);
  if (usage.inputTokens > 0) figures.add(figure.inputTokens, usage.inputTokens, plain);
  if (usage.outputTokens > 0) figures.add(figure.outputTokens, usage.outputTokens, plain);
  const estimated = usage.estimatedUsd ?? 0;
  if (usage.costUsd > estimated) figures.add(figure.cost, usage.costUsd - estimated, { ...plain, [attr.isEstimated]: false });
  if (estimated > 0) figures.add(figure.cost, estimated, { ...plain, [attr.isEstimated]: true });
}
