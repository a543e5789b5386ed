/**
 * A generated path of the sub-agent’s chart on a real task whose worker dies on the way: at a crash point, or else after the
 * path’s last event. A fact that was lost with the worker is sent again. Then a cooperative operator brings the task to its end.
 */
import type { Bus } from '../../../bus/bus.ts';
import type { Crew } from '../../../bus/crew.ts';
import { type SteeringInput, TaskSpec } from '../../../bus/messages.ts';
import { enqueue } from '../../../bus/queue/task-queue.ts';
import { newRecord, type StateRecord } from '../../../bus/state/state-record.ts';
import { createState, readState } from '../../../bus/state/state-store.ts';
import { goalOf, newRoot } from '../../../bus/task-id.ts';
import type { SubAgentEvent, SubAgentOutput } from '../../../machines/sub-agent.ts';
import type { Command } from '../../../machines/task-commands.ts';
import { swapOf, towardsTheEnd } from '../../models/sub-agent/alphabet.ts';
import { look, type Snap, stateOf } from '../../models/sub-agent/observation.ts';
import type { ModelCall } from '../../support/model-server.ts';
import type { Bell } from './bell.ts';
import type { Effect } from './outside.ts';

export type Fact = Extract<
  SubAgentEvent,
  { type: 'MODEL_SAID' | 'MODEL_REPLIED' | 'MODEL_FAILED' | 'TOOL_RETURNED' | 'CALL_DOUBTED' }
>;
const factTypes = ['MODEL_SAID', 'MODEL_REPLIED', 'MODEL_FAILED', 'TOOL_RETURNED', 'CALL_DOUBTED'];
const isFact = (event: SubAgentEvent): event is Fact => factTypes.includes(event.type);
const isCommand = (event: SubAgentEvent): event is Command => 'id' in event;

type Committed = Snap & { readonly output?: SubAgentOutput };
const committed = (record: StateRecord) => record.snapshot as unknown as Committed;

/** Most times that one fact is sent, once for each worker that dies over it. */
const tries = 5;
/** More answers than any path needs. */
const patience = 40;

export class PathWalk implements Walk<SubAgentEvent> {
  readonly id = goalOf(`${newRoot((bytes) => crypto.getRandomValues(bytes))}.0`);
  readonly effects: Effect[] = [];
  /** An effect was in doubt and the operator answered: the outcome may then differ. */
  doubted = false;
  readonly #stage: PathStage;
  readonly #calls: ModelCall[] = [];
  /** Calls and effects that were told their end, or whose caller has gone. */
  readonly #over = new Set<ModelCall | Effect>();
  #isDispatched = false;

  constructor(stage: PathStage) {
    this.#stage = stage;
  }

  /** Creates the task without a ticket. */
  async open(): Promise<void> {
    const { bus, run } = this.#stage;
    const spec = TaskSpec.parse({ type: 'agent', instruction: `do it #${run}`, backend: 'local' });
    await createState(bus, newRecord(this.id, spec, 'driver', new Date().toISOString()));
  }

  thinks(call: ModelCall): void {
    this.#calls.push(call);
    this.#stage.bell.ring();
    void call.closed.then(() => {
      this.#over.add(call);
      this.#stage.bell.ring();
    });
  }
  acts(effect: Effect): void {
    this.effects.push(effect);
    this.#stage.bell.ring();
  }

  async go(event: SubAgentEvent, name: string): Promise<void> {
    if (event.type === 'START') {
      this.#isDispatched = true;
      await enqueue(this.#stage.bus, 'agent', 'pending', { id: this.id, run: 1 });
    } else if (isFact(event)) await this.#bringAbout(event, name);
    else if (isCommand(event)) await this.#command(event, name);
    // No tool here shows what it would do, so the question follows by itself.
    else if (event.type !== 'PREVIEWED') throw new Error(`${event.type} can't be brought about`);
  }

  async finish(): Promise<StateRecord> {
    for (let i = 0; ; i++) {
      const record = await this.#settled();
      if (record?.phase === 'done') return record;
      if (i > patience) throw new Error(`${this.id} has not ended with all this help: ${JSON.stringify(record?.last)}`);
      await this.go(this.#help(record), `z${i}`);
    }
  }

  /** The next event of a cooperative operator or a model that has had enough. A doubt is never answered by another run. */
  #help(record: StateRecord | null): SubAgentEvent {
    if (!record) return { type: 'START' };
    const event = towardsTheEnd(look(committed(record)))!;
    const isDoubt = event.type === 'ANSWER' && event.text === 'run it again';
    if (isDoubt) this.doubted = true;
    return isDoubt ? { ...event, text: 'it ran' } : event;
  }

  async #command(planned: Command, name: string): Promise<void> {
    const record = await this.#settled();
    if (record?.phase === 'done') return;
    const question = record && committed(record).context.question;
    const {
      type,
      id: _,
      ...fields
    } = planned.type === 'ANSWER' && planned.question !== 'q0' && question ? { ...planned, question: question.id } : planned;
    const message = planned.type === 'SWAP' ? swapOf(planned) : ({ ...fields, type: type.toLowerCase() } as SteeringInput);
    await this.#stage.crew.steer(this.id, { ...message, id: name });
    if (!record) return;
    await this.#until(`${name} to be taken`, (now) => {
      const { steers } = committed(now).context;
      return now.phase === 'done' || now.known.includes(name) || steers.some(({ id }) => id === name);
    });
  }

  /** Sends the fact until a commit has it. A fact that can no longer come after a crash is left out. */
  async #bringAbout(fact: Fact, name: string): Promise<void> {
    // A doubt has no words of its own. A worker that dies over it leaves the same question.
    const isTaken = (record: StateRecord) => {
      const { context } = committed(record);
      if (fact.type === 'CALL_DOUBTED') return context.question?.kind === 'in-doubt';
      return JSON.stringify(context).includes(`${name}.`);
    };
    for (let i = 0; i < tries; i++) {
      const record = await this.#settled();
      if (!record || record.phase === 'done' || isTaken(record)) return;
      const effect = isOfEffect(fact) ? this.#openEffect(record) : this.#openCall(record);
      if (!effect) {
        const help = this.#help(record);
        if (!isCommand(help)) return;
        await this.#command(help, `x${i}${name}`);
        continue;
      }
      this.#say(fact, name, effect);
      if (fact.type === 'MODEL_SAID') return;
      this.#over.add(effect);
      await this.#until(`${name} to be taken or lost`, (now) => {
        const other = this.#openCall(now) ?? this.#openEffect(now);
        return now.phase === 'done' || isTaken(now) || (other !== undefined && other !== effect) || isAtRest(now);
      });
    }
    throw new Error(`${this.id} has not taken ${fact.type} after ${tries} tries`);
  }

  #say(fact: Fact, name: string, to: ModelCall | Effect): void {
    if (isOfEffect(fact)) {
      const effect = to as Effect;
      if (fact.type === 'CALL_DOUBTED') effect.doubts();
      else if (fact.failed) effect.fails(`${fact.text} ${name}.`);
      else effect.returns(`${fact.text} ${name}.`);
      return;
    }
    const call = to as ModelCall;
    if (fact.type === 'MODEL_SAID') call.say(fact.text);
    else if (fact.type === 'MODEL_FAILED') call.fail(fact.error.retryable ? 503 : 401, `${fact.error.message} ${name}.`);
    else {
      const { inputTokens: prompt_tokens, outputTokens: completion_tokens, costUsd: cost } = fact.usage;
      call.say(`${fact.text} ${name}.`).end(fact.calls, { prompt_tokens, completion_tokens, cost });
    }
  }

  #openCall(record: StateRecord): ModelCall | undefined {
    if (stateOf(committed(record)) !== 'thinking') return undefined;
    return this.#calls.findLast((call) => !this.#over.has(call));
  }
  #openEffect(record: StateRecord): Effect | undefined {
    if (stateOf(committed(record)) !== 'acting') return undefined;
    return this.effects.findLast((effect) => !this.#over.has(effect) && !effect.isGone());
  }

  /** Waits until the task takes a fact, waits for a steer, or has ended. @returns null while nobody has claimed it. */
  async #settled(): Promise<StateRecord | null> {
    if (!this.#isDispatched) return null;
    return this.#until(
      'something to be said to',
      (now) => now.phase === 'done' || isAtRest(now) || (this.#openCall(now) ?? this.#openEffect(now)) !== undefined,
    );
  }

  async #until(what: string, isSo: (record: StateRecord) => boolean): Promise<StateRecord> {
    return this.#stage.bell.until(what, async () => {
      const stored = await readState(this.#stage.bus, this.id);
      return stored?.record.snapshot && isSo(stored.record) ? stored.record : null;
    });
  }
}

const isOfEffect = (fact: Fact): fact is Extract<Fact, { type: 'TOOL_RETURNED' | 'CALL_DOUBTED' }> =>
  fact.type === 'TOOL_RETURNED' || fact.type === 'CALL_DOUBTED';

const isAtRest = ({ phase }: StateRecord) => phase === 'parked';

/** A walk along a path of either chart. */
export interface Walk<Event> {
  readonly effects: readonly Effect[];
  readonly doubted: boolean;
  open(): Promise<void>;
  thinks(call: ModelCall): void;
  acts(effect: Effect): void;
  /** @param name Stands in the event’s text, by which the record of the task shows that it has been taken. */
  go(event: Event, name: string): Promise<void>;
  finish(): Promise<StateRecord>;
}

/** The surroundings of a walk. */
export interface PathStage {
  readonly run: string;
  readonly bus: Bus;
  readonly crew: Crew;
  readonly bell: Bell;
}
