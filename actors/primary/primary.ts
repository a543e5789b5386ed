/**
 * The primary agent of a node: runs its chart with its effects and publishes its events. The chart starts with the operator's
 * first message.
 */
import { randomUUID } from 'node:crypto';
import { type Actor, createActor, fromCallback } from 'xstate';
import type { Crew } from '../../bus/crew.ts';
import type { TalkLine } from '../../bus/messages.ts';
import { Memory } from '../../bus/shared-memory.ts';
import type { TaskSummary } from '../../bus/state/tree.ts';
import type { TaskId } from '../../bus/task-id.ts';
import type { ToolCall } from '../../machines/conversation.ts';
import { primary } from '../../machines/primary.ts';
import type { Line, PrimaryActInput, PrimaryMachineEvent, PrimaryThinkInput, Told } from '../../machines/primary-context.ts';
import { messageOf } from '../../platform/errors.ts';
import type { Log } from '../../platform/log.ts';
import type { Backends } from '../../roster/backends.ts';
import type { ModelReply } from '../../roster/conversation.ts';
import { ModelError } from '../../roster/errors.ts';
import type { Roster } from '../../roster/schema.ts';
import { effect } from '../host/effect.ts';
import { failureOf } from '../host/failure-of.ts';
import { wholeReply } from '../host/whole-reply.ts';
import { checkArgs } from '../kinds/kind.ts';
import { orchestrator } from '../supervisor/orchestrator.ts';
import { isBorneOut as bearsOut, type Call, type Decision, decide, type Pending } from './decide.ts';
import type { Primary, PrimaryEvent, SayOptions } from './events.ts';
import { Listeners } from './listeners.ts';
import { AskOperator, type Lookup } from './lookup.ts';
import { promptFor } from './prompt.ts';
import { asMessages, hasEnded, type Said, StoredTalk } from './stored-talk.ts';
import { closingTools, from, type PrimaryOutput, primaryTools } from './tools.ts';

export interface PrimaryOptions {
  readonly crew: Crew;
  readonly backends: Backends;
  readonly roster: () => Roster;
  /** Kinds of sub-agent it may dispatch. Default: the roster's. */
  readonly kinds?: () => readonly string[];
  /** Absolute workspace of the tasks it dispatches; null: the workspace of the node that takes them. */
  readonly workspace: string | null;
  readonly log: Log;
}

export const openPrimary = (options: PrimaryOptions): Primary => new PrimaryAgent(options);

class PrimaryAgent implements Primary {
  readonly #options: PrimaryOptions;
  readonly #memory: Memory;
  readonly #talk: StoredTalk;
  /** A question of the code's own that the next line may answer. */
  #pending: Pending | null = null;
  /** The replies so far to the line that is being answered. */
  #said: Said[] = [];
  readonly #listeners = new Listeners<PrimaryEvent>();
  #actor: Actor<typeof primary> | null = null;
  #hears = false;
  readonly #stopped = new AbortController();
  /** The talks of other clients that are followed, until `stop`. */
  readonly #following: Promise<void>[] = [];

  constructor(options: PrimaryOptions) {
    this.#options = options;
    const { crew, log } = options;
    this.#memory = new Memory(crew.bus);
    this.#talk = new StoredTalk({ bus: crew.bus, name: crew.name, log });
  }

  say(text: string, { first = false }: SayOptions = {}): void {
    if (this.#stopped.signal.aborted) return;
    this.#actor ??= this.#start();
    const line = { id: randomUUID(), text };
    const { context } = this.#actor.getSnapshot();
    if (context.line && !first) this.#tell({ type: 'queued', line, ahead: context.waiting.length + 1 });
    this.#talk.say(line, first);
    this.#actor.send({ type: 'SAY', line, ...(first && { isFirst: true }) });
  }

  async rejoin(signal: AbortSignal): Promise<void> {
    const { ended, open, seq } = await this.#talk.recall();
    if (this.#stopped.signal.aborted || signal.aborted) return;
    this.#actor ??= this.#start();
    this.#hear(ended);
    this.#following.push(this.#follow(seq, AbortSignal.any([signal, this.#stopped.signal])));
    const { again, given } = await this.#talk.takeOver(open);
    for (const line of given) this.#tell({ type: 'given-up', line });
    for (const { id, text } of again) {
      if (this.#stopped.signal.aborted) return;
      this.#tell({ type: 'resumed', line: { id, text } });
      this.#actor?.send({ type: 'SAY', line: { id, text } });
    }
  }

  get hearsTalk(): boolean {
    return this.#hears;
  }

  async #follow(seq: number, signal: AbortSignal): Promise<void> {
    this.#hears = true;
    try {
      for await (const { line, isForUs } of this.#talk.others(seq, signal)) {
        if (isForUs) {
          const handed = { id: line.id, text: line.text };
          this.#tell({ type: 'handed', line: handed });
          this.#actor?.send({ type: 'SAY', line: handed, ...(line.first && { isFirst: true }) });
          continue;
        }
        this.#tell({ type: 'elsewhere', line });
        if (hasEnded(line)) this.#hear([line]);
      }
    } catch (err) {
      this.#options.log.warn({ err }, 'the talk of other clients cannot be followed');
    } finally {
      this.#hears = false;
    }
  }

  #hear(lines: readonly TalkLine[]): void {
    if (lines.length > 0) this.#actor?.send({ type: 'HEARD', messages: lines.flatMap(asMessages) });
  }

  unanswered(): readonly Line[] {
    const context = this.#actor?.getSnapshot().context;
    return context ? [...(context.line ? [context.line] : []), ...context.waiting] : [];
  }

  interrupt(): boolean {
    if (!this.#actor?.getSnapshot().can({ type: 'INTERRUPT' })) return false;
    this.#actor.send({ type: 'INTERRUPT' });
    return true;
  }

  events(signal: AbortSignal): AsyncIterable<PrimaryEvent> {
    return this.#listeners.events(signal);
  }

  async stop(): Promise<void> {
    this.#stopped.abort();
    this.#actor?.stop();
    this.#actor = null;
    this.#listeners.close();
    await Promise.all([this.#talk.flush(), ...this.#following]);
  }

  #start(): Actor<typeof primary> {
    const actor = createActor(primary.provide({ actors: { think: this.#think(), act: this.#act() } }));
    actor.on('*', (told) => {
      this.#keep(told);
      this.#tell(told);
    });
    actor.subscribe({
      error: (cause) => {
        this.#options.log.error({ err: cause }, 'the primary failed');
        // The conversation is lost, the tasks are not. The next message starts a new actor.
        this.#actor = null;
        this.#tell({ type: 'failed', error: { code: 'internal', message: messageOf(cause) } });
        this.#tell({ type: 'idle' });
      },
    });
    return actor.start();
  }

  /** Stores what is told for the line that is being answered. */
  #keep(told: Told): void {
    if (told.type === 'began') {
      this.#said = [];
      this.#talk.began(told.line);
    }
    if (told.type === 'reply') this.#said.push({ by: told.by, text: told.text });
    if (told.type === 'did') this.#said.push({ by: 'done', text: told.text });
    if (told.type === 'failed') this.#said.push({ by: 'code', text: told.error.message });
    if (told.type === 'ended') this.#talk.ended(told.line, told.how, this.#said);
  }

  #tell(event: PrimaryEvent): void {
    this.#listeners.tell(event);
  }

  readonly #think = () =>
    fromCallback(
      effect<PrimaryThinkInput, PrimaryMachineEvent>(
        async (input, say, signal) => {
          const tasks = await this.#tasks();
          signal.throwIfAborted();
          const decided = input.isFirst && tasks ? this.#decide(input.line.text, tasks) : null;
          if (decided) {
            const made = 'calls' in decided ? decided.calls : [];
            const calls = made.map(
              ({ tool, args }, at): ToolCall => ({ id: `p${input.replies}-${at}`, tool, args, effects: 'writes' }),
            );
            say({ type: 'DECIDED', text: 'text' in decided ? decided.text : '', calls });
            return;
          }
          const { backend, reply } = await this.#callSomeone(input, tasks, say, signal);
          const calls = reply.calls.map(
            ({ tool, args }, index): ToolCall => ({ id: `p${input.replies}-${index}`, tool, args, effects: 'writes' }),
          );
          say({ type: 'MODEL_REPLIED', text: reply.text, calls, usage: reply.usage, backend, echo: reply.echo });
        },
        (cause) => {
          this.#options.log.warn({ err: cause }, 'the primary got no reply');
          return { type: 'MODEL_FAILED', error: failureOf(cause) };
        },
      ),
    );

  /** Whether only small models can read the line. */
  get #hasSmallOnly(): boolean {
    return this.#options.backends
      .menu()
      .filter(({ canOrchestrate, available }) => canOrchestrate && available)
      .every(({ kind }) => kind === 'embedded');
  }

  /** Code's decision about a line; null: a model decides. The next line answers the question that code has asked, or drops it. */
  #decide(line: string, tasks: readonly TaskSummary[]): Decision | null {
    const pending = this.#pending;
    this.#pending = null;
    return decide({ line, tasks, pending, isSmall: this.#hasSmallOnly });
  }

  /** Calls the cheapest backend that can orchestrate, and the next one if it fails before its first token. */
  async #callSomeone(
    input: PrimaryThinkInput,
    tasks: readonly TaskSummary[] | null,
    say: (fact: PrimaryMachineEvent) => void,
    signal: AbortSignal,
  ): Promise<{ backend: string; reply: ModelReply }> {
    const { backends } = this.#options;
    const failed: string[] = [];
    for (let last: ModelError | null = null; ; ) {
      const backend = this.#route(failed, last);
      const menu = backends.menu();
      const entry = menu.find(({ name }) => name === backend)!;
      const request = promptFor({ ...input, tasks, tools: this.#tools(), backend: entry, menu });
      let hasSpoken = false;
      try {
        const reply = await wholeReply(backend, backends.call(backend, { ...request, isUrgent: true }, signal), (text) => {
          hasSpoken = true;
          say({ type: 'MODEL_SAID', text });
        });
        return { backend, reply };
      } catch (cause) {
        signal.throwIfAborted();
        if (hasSpoken || !(cause instanceof ModelError)) throw cause;
        failed.push(backend);
        last = cause;
      }
    }
  }

  /** @throws the last failure if there was one, because it tells more than "no backend is left". */
  #route(failed: readonly string[], last: ModelError | null): string {
    const { backends } = this.#options;
    try {
      return orchestrator(backends, null, failed).backend;
    } catch (cause) {
      throw last ?? cause;
    }
  }

  readonly #act = () =>
    fromCallback(
      effect<PrimaryActInput, PrimaryMachineEvent>(
        async ({ call, backend, line }, say, signal) => {
          const isBorneOut = (asked: Call, id: TaskId, all: readonly TaskSummary[]) =>
            !this.#isSmall(backend) || bearsOut(line.text, asked, id, all);
          const tools = this.#tools(isBorneOut);
          this.#options.log.debug({ tool: call.tool, args: call.args }, 'the primary acts');
          const returned = (text: string) => say({ type: 'TOOL_RETURNED', call: call.id, text });
          const tool = tools.find(({ name }) => name === call.tool);
          if (!tool) return returned(`there is no tool ${call.tool}; there are ${tools.map(({ name }) => name).join(', ')}`);
          const checked = await checkArgs(tool, call.args);
          if (!checked.ok) return returned(`these arguments don't fit ${tool.name}: ${checked.problem}`);
          // No tool of the primary touches files. The workspace is for the tasks that it dispatches.
          const context = { task: from, workspace: '', signal, idempotencyKey: call.id };
          const did = tool.effects !== 'none';
          if (did && !(await this.#talk.claim(line))) return returned('not done: another terminal has taken this line over');
          signal.throwIfAborted();
          const closes = this.#closes(tool.name, backend);
          const { text, did: hasDone = did } = (await tool.run(checked.args, context)) as PrimaryOutput;
          say({ type: 'TOOL_RETURNED', call: call.id, text, ...(closes && { closes }), ...(hasDone && { did: true }) });
        },
        (cause, { call, backend }) => {
          if (cause instanceof AskOperator) {
            this.#pending = cause.pending;
            return { type: 'TOOL_RETURNED', call: call.id, text: cause.message, closes: true };
          }
          const text = `failed: ${failureOf(cause).message}`;
          return { type: 'TOOL_RETURNED', call: call.id, text, ...(this.#closes(call.tool, backend) && { closes: true }) };
        },
      ),
    );

  #isSmall(backend: string | null): boolean {
    return this.#options.backends.menu().find(({ name }) => name === backend)?.kind === 'embedded';
  }

  /** Whether the result of the tool is the whole answer: code chose the call, or a small model, whose words add nothing. */
  #closes(tool: string, backend: string | null): boolean {
    return closingTools.has(tool) && (backend === null || this.#isSmall(backend));
  }

  #tools(isBorneOut: Lookup['isBorneOut'] = () => true) {
    const { crew, backends, roster, kinds = () => Object.keys(roster().agents), workspace } = this.#options;
    const onDispatched = (id: TaskId, instruction: string) => this.#tell({ type: 'dispatched', id, instruction });
    return primaryTools({ crew, backends, kinds, workspace, memory: this.#memory, onDispatched, isBorneOut });
  }

  /** Null while the bus does not answer. The operator can talk to the primary even then. */
  async #tasks(): Promise<TaskSummary[] | null> {
    try {
      return await this.#options.crew.tasks();
    } catch (cause) {
      this.#options.log.warn({ err: cause }, 'the tasks cannot be read');
      return null;
    }
  }
}
