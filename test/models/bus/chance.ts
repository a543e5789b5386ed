/**
 * Anything that may happen to a task, in any order and without waiting for its effect. Then a cooperative operator ends the task.
 */
import fc from 'fast-check';
import type { SteeringInput } from '../../../bus/messages.ts';
import { publish } from '../../../bus/publish.ts';
import type { StateRecord } from '../../../bus/state/state-record.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { childOf, goalOf } from '../../../bus/task-id.ts';
import type { Question } from '../../../machines/conversation.ts';
import type { SubAgentContext } from '../../../machines/sub-agent.ts';
import { replies } from '../sub-agent/alphabet.ts';
import type { Bystander } from './bystander.ts';
import type { Place, World } from './world.ts';

type Steering = { readonly what: 'steer'; readonly message: SteeringInput; readonly at: number };
export type Happening =
  | Steering
  | { readonly what: 'answer'; readonly isRight: boolean; readonly at: number }
  /** A copy, as from a client that sends again after the broker has forgotten the message id. */
  | { readonly what: 'repeat'; readonly which: number }
  | { readonly what: 'reply'; readonly with: string }
  | { readonly what: 'refuse' }
  | { readonly what: 'return'; readonly isFailure: boolean }
  | { readonly what: 'lose worker' | 'lose broker' };

export interface Sent {
  readonly task: string;
  readonly id: string;
  readonly message: SteeringInput;
}

const urgency = fc.constantFrom('now' as const, 'next-step' as const, 'after' as const);
/** The task itself, or one of its sub-tasks. */
const at = fc.nat(2);
const steering = (message: fc.Arbitrary<SteeringInput>) => fc.record({ what: fc.constant('steer' as const), message, at });
const words = <Type extends 'steer' | 'redirect'>(type: Type) => ({
  type: fc.constant(type),
  text: fc.constant('to be filled in'),
});
const facts: fc.WeightedArbitrary<Happening>[] = [
  { weight: 10, arbitrary: fc.record({ what: fc.constant('reply' as const), with: fc.constantFrom(...Object.keys(replies)) }) },
  { weight: 2, arbitrary: fc.constant({ what: 'refuse' as const }) },
  { weight: 6, arbitrary: fc.record({ what: fc.constant('return' as const), isFailure: fc.boolean() }) },
];
/** Rare, since each costs seconds. */
const losses: fc.WeightedArbitrary<Happening>[] = [
  { weight: 2, arbitrary: fc.constant({ what: 'lose worker' as const }) },
  { weight: 1, arbitrary: fc.constant({ what: 'lose broker' as const }) },
];
const common: fc.WeightedArbitrary<Happening>[] = [
  { weight: 12, arbitrary: steering(fc.record({ ...words('steer'), urgency })) },
  { weight: 4, arbitrary: fc.record({ what: fc.constant('answer' as const), isRight: fc.boolean(), at }) },
  { weight: 2, arbitrary: fc.record({ what: fc.constant('repeat' as const), which: fc.nat(100) }) },
  ...(['pause', 'resume', 'cancel'] as const).map((type) => ({
    weight: type === 'cancel' ? 1 : 3,
    arbitrary: steering(fc.constant({ type })),
  })),
  {
    weight: 2,
    arbitrary: steering(fc.record({ type: fc.constant('swap' as const), backend: fc.constantFrom('local', 'other') })),
  },
  ...losses,
];
export const forTask = fc.oneof(...common, ...facts, { weight: 2, arbitrary: steering(fc.record(words('redirect'))) });
const node = { key: 'c', type: 'agent', instruction: 'also' };
export const forGoal = fc.oneof(
  ...common,
  ...facts.map(({ arbitrary, weight }) => ({
    weight,
    arbitrary: arbitrary.map((it): Happening => (it.what === 'reply' ? { ...it, with: 'final' } : it)),
  })),
  {
    weight: 4,
    arbitrary: steering(
      fc.oneof(
        fc.constant({ type: 'add' as const, task: node }),
        fc.record({ type: fc.constant('drop' as const), key: fc.constantFrom('a', 'b', 'x') }),
        fc.record({ type: fc.constant('rerun' as const), key: fc.constantFrom('a', 'b') }),
      ),
    ),
  },
);

/** More answers than any sequence needs. */
const patience = 60;

export class Chance {
  readonly sent: Sent[] = [];
  readonly outside: Bystander;
  readonly id: string;
  readonly #place: Place;
  readonly #world: World;
  readonly #tag: string;

  private constructor(place: Place, world: World, tag: string, id: string) {
    this.#place = place;
    this.#world = world;
    this.#tag = tag;
    this.id = id;
    this.outside = place.bystander(tag, id);
  }

  /** A goal has two sub-tasks, one after the other, and an orchestrator that reduces them. */
  static async dispatch(place: Place, world: World, tag: string, type: string): Promise<Chance> {
    const task = (key: string, ...after: string[]) => ({ key, type: 'agent', instruction: `do ${key} ${tag}`, after });
    const plan = { tasks: [task('a'), task('b', 'a')], reduce: { by: 'orchestrator' as const } };
    const spec = { type, instruction: `do it ${tag}`, backend: 'local', ...(type === 'supervisor' && { plan }) };
    return new Chance(place, world, tag, await place.crew.dispatch(spec));
  }

  async go(happening: Happening): Promise<void> {
    switch (happening.what) {
      case 'steer': {
        const task = await this.#taskAt(happening.at);
        const { message } = happening;
        const said = `[${this.sent.length}]`;
        if (message.type === 'steer' || message.type === 'redirect') return this.#send(task, { ...message, text: said });
        if (message.type !== 'add') return this.#send(task, message);
        return this.#send(task, { ...message, task: { ...message.task, instruction: `do c ${this.#tag}` } });
      }
      case 'answer': {
        const task = await this.#taskAt(happening.at);
        const { question } = await this.#look(task);
        const asked = happening.isRight && question ? question : null;
        return this.#send(task, { type: 'answer', question: asked?.id ?? 'q99', text: asked ? helpful(asked) : 'stop' });
      }
      case 'repeat': {
        const again = this.sent[happening.which % Math.max(1, this.sent.length)];
        if (again) await this.#publishAgain(again);
        return;
      }
      case 'reply': {
        await this.#settled();
        return this.#reply(happening.with);
      }
      case 'refuse': {
        await this.#settled();
        const { call } = this.outside;
        if (call) this.outside.saidLastWordTo(call);
        return call?.fail(503);
      }
      case 'return': {
        await this.#settled();
        return this.#return(happening.isFailure);
      }
      case 'lose worker':
        return this.#place.replaceNode();
      case 'lose broker':
        return this.#world.killBroker();
    }
  }

  /**
   * Answers, tops up, resumes, replies and returns until the task has ended. Then sends every message again, and a new one: too
   * late.
   */
  async finish(): Promise<StateRecord> {
    const answered = new Set<string>();
    let last: StateRecord | null = null;
    await this.outside.until(
      () => JSON.stringify(last?.last),
      async () => {
        while (this.outside.call) this.#reply('final');
        while (this.outside.run) this.#return(false);
        while (this.outside.preview) this.#show(false);
        for (const task of await this.tree()) {
          const record = await this.#record(task);
          if (task === this.id) last = record;
          if (record?.phase !== 'done') await this.#help(task, record, answered);
        }
        return last?.phase === 'done';
      },
    );
    for (const again of this.sent) await this.#publishAgain(again);
    await this.#send(this.id, { type: 'steer', text: `[${this.sent.length}]` });
    return last!;
  }

  /** Ids of the task and of all its sub-tasks so far. */
  async tree(): Promise<string[]> {
    const { children = 0 } = (await this.#record(this.id)) ?? {};
    return [this.id, ...Array.from({ length: children }, (_, i) => childOf(this.id, i + 1))];
  }

  async #help(task: string, record: StateRecord | null, answered: Set<string>): Promise<void> {
    const { question, paused } = contextOf(record);
    const once = async (what: string, message: SteeringInput) => {
      if (answered.has(`${task} ${what}`)) return;
      if (answered.size > patience)
        throw new Error(`${this.id} has not ended with all this help: ${JSON.stringify(record?.last)}`);
      answered.add(`${task} ${what}`);
      await this.#send(task, message);
    };
    if (question?.kind === 'budget') await once(question.id, { type: 'budget', steps: 5, costUsd: 8 });
    else if (question) await once(question.id, { type: 'answer', question: question.id, text: helpful(question) });
    if (paused) await once(`paused at ${record?.steeringCursor}`, { type: 'resume' });
  }

  #reply(name: string): void {
    const { call } = this.outside;
    if (!call) return;
    this.outside.saidLastWordTo(call);
    const usage = { prompt_tokens: 2, completion_tokens: 1, cost: 0.25 };
    call.say(`said ${name}`).end(replies[name], usage);
  }

  #show(isRefused: boolean): void {
    const { preview } = this.outside;
    if (!preview) return;
    this.outside.saidLastWordTo(preview);
    if (isRefused) preview.refuses('refused');
    else preview.shows({ text: 'the diff', base: 'b' });
  }

  #return(isFailure: boolean): void {
    if (this.outside.preview) this.#show(isFailure);
    const { run } = this.outside;
    if (!run) return;
    this.outside.saidLastWordTo(run);
    if (isFailure) run.fails('no');
    else run.returns('ok');
  }

  /** Waits until the task takes a fact, waits for a steer, or has ended. */
  async #settled(): Promise<void> {
    let record: StateRecord | null = null;
    await this.outside.until(
      () => `${this.id} is ${JSON.stringify(record?.last)}`,
      async () => {
        if (this.outside.call || this.outside.run || this.outside.preview) return true;
        const records = await Promise.all((await this.tree()).map((task) => this.#record(task)));
        record = records[0] ?? null;
        return records.every((each) => each?.phase === 'done' || each?.phase === 'parked');
      },
    );
  }

  async #send(task: string, message: SteeringInput): Promise<void> {
    const id = `e${this.sent.length}`;
    this.sent.push({ task, id, message });
    await this.#place.crew.steer(task, { ...message, id });
  }

  async #publishAgain({ task, id, message }: Sent): Promise<void> {
    const { bus } = this.#place;
    const msgID = `again ${crypto.randomUUID()}`;
    await publish(bus, bus.subjects.of(task, 'steering'), JSON.stringify({ ...message, id }), { msgID });
  }

  /** The nth task of the tree, or the task itself if there are fewer. */
  async #taskAt(n: number): Promise<string> {
    return (await this.tree())[n] ?? goalOf(this.id);
  }
  async #record(task: string): Promise<StateRecord | null> {
    return (await readState(this.#place.bus, task))?.record ?? null;
  }
  async #look(task: string) {
    return contextOf(await this.#record(task));
  }
}

export const contextOf = (record: StateRecord | null) =>
  (record?.snapshot?.context ?? {}) as Partial<Pick<SubAgentContext, 'question' | 'paused' | 'messages'>>;

/** An answer that lets a task go on and runs nothing twice. */
function helpful({ kind, choices = [] }: Question): string {
  const yes = { approval: 'approve', 'in-doubt': 'it ran', stuck: 'try again', asked: 'words', budget: 'stop' }[kind];
  return choices.includes('retry') ? 'retry' : yes;
}
