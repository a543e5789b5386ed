/**
 * A generated path of the supervisor’s chart on a real goal whose worker dies on the way. Its sub-tasks are of the kind `hand`:
 * each makes a call outside that stays open until the test tells how it ends.
 */
import { type SteeringInput, TaskSpec } from '../../../bus/messages.ts';
import { enqueue } from '../../../bus/queue/task-queue.ts';
import { newRecord, type StateRecord } from '../../../bus/state/state-record.ts';
import { createState, readState } from '../../../bus/state/state-store.ts';
import { childOf, goalOf, newRoot } from '../../../bus/task-id.ts';
import type { NodeSpec } from '../../../machines/plan.ts';
import type { PlanCommand, Return, SupervisorEvent } from '../../../machines/supervisor-context.ts';
import type { Command } from '../../../machines/task-commands.ts';
import { swapOf } from '../../models/sub-agent/alphabet.ts';
import { towardsTheEnd } from '../../models/supervisor/alphabet.ts';
import { look, type Snap, stateOf } from '../../models/supervisor/observation.ts';
import type { ModelCall } from '../../support/model-server.ts';
import type { Effect } from './outside.ts';
import type { PathStage, Walk } from './path-walk.ts';

type Thought = Extract<SupervisorEvent, { type: 'PLANNED' | 'PLAN_FAILED' | 'REDUCED' | 'REDUCE_FAILED' }>;
const isThought = (event: SupervisorEvent): event is Thought =>
  ['PLANNED', 'PLAN_FAILED', 'REDUCED', 'REDUCE_FAILED'].includes(event.type);
const isCommand = (event: SupervisorEvent): event is Command | PlanCommand => 'id' in event;
const committed = (record: StateRecord) => record.snapshot as unknown as Snap;
const isReduction = (call: ModelCall) => call.texts('user').join('\n').includes('Results:');

/** Most times that one fact is sent, once for each worker that dies over it. */
const tries = 5;
/** More answers than any path needs. */
const patience = 40;

export class GoalWalk implements Walk<SupervisorEvent> {
  readonly id = goalOf(`${newRoot((bytes) => crypto.getRandomValues(bytes))}.0`);
  readonly effects: Effect[] = [];
  /** Never in doubt: a supervisor’s own effects only think, and its hands only wait. */
  readonly doubted = false;
  readonly #stage: PathStage;
  readonly #calls: ModelCall[] = [];
  /** Calls and effects that were told their end, or whose caller has gone. */
  readonly #over = new Set<ModelCall | Effect>();
  #isDispatched = false;

  constructor(stage: PathStage) {
    this.#stage = stage;
  }

  async open(): Promise<void> {
    const { bus } = this.#stage;
    const spec = TaskSpec.parse({ type: 'supervisor', instruction: this.#tagged('the goal'), backend: 'local' });
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

  async go(event: SupervisorEvent, name: string): Promise<void> {
    if (event.type === 'START') {
      this.#isDispatched = true;
      await enqueue(this.#stage.bus, 'supervisor', 'pending', { id: this.id, run: 1 });
    } else if (isThought(event)) await this.#think(event, name);
    else if (event.type === 'CHILDREN_RETURNED') for (const each of event.returns) await this.#return(each);
    else if (isCommand(event)) await this.#command(event, name);
    else throw new Error(`${event.type} can't be brought about`);
  }

  async finish(): Promise<StateRecord> {
    for (let i = 0; ; i++) {
      const record = await this.#settled();
      if (record?.phase === 'done') return record;
      if (i > patience) throw new Error(`${this.id} has not ended with all this help: ${JSON.stringify(record?.last)}`);
      await this.go(record ? towardsTheEnd(look(committed(record)))! : { type: 'START' }, `z${i}`);
    }
  }

  async #command(planned: Command | PlanCommand, name: string): Promise<void> {
    const record = await this.#settled();
    const question = record?.snapshot && committed(record).context.question;
    await this.#stage.crew.steer(this.id, this.#messageOf(planned, name, question ? question.id : null));
    if (!record) return;
    await this.#until(`${name} to be taken`, (now) => {
      const { steers } = committed(now).context;
      return now.phase === 'done' || now.known.includes(name) || steers.some(({ id }) => id === name);
    });
  }

  #messageOf(command: Command | PlanCommand, name: string, question: string | null): SteeringInput {
    if (command.type === 'SWAP') return { ...swapOf(command), id: name };
    const { type, id: _, ...fields } = command;
    const common = { type: type.toLowerCase(), id: name };
    if (command.type === 'ADD') return { ...common, task: this.#handed(command.node) } as SteeringInput;
    if (command.type === 'ANSWER' && command.question !== 'q0' && question)
      return { ...common, ...fields, question } as SteeringInput;
    // The tag leads the planning call of the new instruction back to this walk.
    if (command.type === 'REDIRECT') return { ...common, text: this.#tagged(command.text) } as SteeringInput;
    if (command.type === 'RERUN' && command.backend) return { ...common, ...fields, backend: 'other' } as SteeringInput;
    return { ...common, ...fields } as SteeringInput;
  }

  /** Sends the fact until a commit has it. A fact that can no longer come after a crash is left out. */
  async #think(fact: Thought, name: string): Promise<void> {
    const state = fact.type.startsWith('PLAN') ? 'decomposing' : 'reducing';
    const isTaken = (record: StateRecord) => JSON.stringify(committed(record).context).includes(`${name}.`);
    for (let i = 0; i < tries; i++) {
      const record = await this.#settled();
      if (!record || record.phase === 'done' || isTaken(record) || stateOf(committed(record)) !== state) return;
      const call = this.#openCall(record)!;
      this.#over.add(call);
      if ('error' in fact) call.fail(fact.error.retryable ? 503 : 401, `${fact.error.message} ${name}.`);
      else if (fact.type === 'REDUCED') call.reply(`${fact.answer} ${name}.`);
      else {
        const tasks = fact.nodes.map((node) => ({ ...this.#handed(node), instruction: `${node.instruction} ${name}.` }));
        call.reply(JSON.stringify({ tasks, final: 'in one word' }));
      }
      await this.#until(`${name} to be taken or lost`, (now) => {
        const other = this.#openCall(now);
        return now.phase === 'done' || isTaken(now) || (other !== undefined && other !== call);
      });
    }
    throw new Error(`${this.id} has not taken ${fact.type} after ${tries} tries`);
  }

  /**
   * Returns a child, and waits until the goal has taken the return. A hand lost with its worker makes its call again, and is told
   * again.
   */
  async #return({ child, outcome }: Return): Promise<void> {
    const id = childOf(this.id, child);
    const { bus, crew, bell } = this.#stage;
    const isTaken = ({ snapshot, phase }: StateRecord) => {
      const { nodes, stopping } = (snapshot as unknown as Snap).context;
      const runs = Object.values(nodes).some((node) => node.child === child && node.status === 'running');
      return phase === 'done' || (!runs && !stopping.includes(child));
    };
    const record = await this.#settled();
    if (!record || isTaken(record)) return;
    if (outcome === 'cancelled') await crew.steer(id, { type: 'cancel', id: `cancel-${child}` });
    let answered = '';
    let resumedAt: number | undefined;
    await bell.until(`the return of ${id}`, async () => {
      const effect = this.effects.findLast((each) => each.task === id && !this.#over.has(each) && !each.isGone());
      if (effect && outcome !== 'cancelled') {
        this.#over.add(effect);
        effect.returns(outcome);
      }
      const hand = await readState(bus, id);
      // A goal pauses its sub-tasks with itself; a paused one returns only once it is resumed.
      // Each pause that it has taken is answered once, since a relayed pause may come after our word.
      const { last, steeringCursor } = hand?.record ?? {};
      if (last?.paused && resumedAt !== steeringCursor) {
        resumedAt = steeringCursor;
        await crew.steer(id, { type: 'resume', id: `resume-${child}-${steeringCursor}` });
      }
      const question = hand?.record.last?.question;
      if (outcome === 'failed' && question && question.id !== answered) {
        answered = question.id;
        await crew.steer(id, { type: 'answer', id: `stop-${question.id}`, question: question.id, text: 'stop' });
      }
      const goal = await readState(bus, this.id);
      return goal && isTaken(goal.record) ? goal : null;
    });
  }

  #openCall(record: StateRecord): ModelCall | undefined {
    const state = stateOf(committed(record));
    if (state !== 'decomposing' && state !== 'reducing') return undefined;
    return this.#calls.findLast((call) => !this.#over.has(call) && isReduction(call) === (state === 'reducing'));
  }

  /** Waits until the goal takes a fact, waits for a steer, or has ended. @returns null while nobody has claimed it. */
  async #settled(): Promise<StateRecord | null> {
    if (!this.#isDispatched) return null;
    return this.#until('something to be said to', (now) => {
      const thinks = ['decomposing', 'reducing'].includes(stateOf(committed(now)));
      return now.phase === 'done' || !thinks || this.#openCall(now) !== undefined;
    });
  }

  async #until(what: string, isSo: (record: StateRecord) => boolean): Promise<StateRecord> {
    return this.#stage.bell.until(`${this.id}: ${what}`, async () => {
      const stored = await readState(this.#stage.bus, this.id);
      const isThere = stored?.record.snapshot && stateOf(committed(stored.record)) !== 'idle';
      return isThere && isSo(stored.record) ? stored.record : null;
    });
  }

  #handed({ key, instruction, after }: NodeSpec) {
    return { key, type: 'hand', instruction, after: [...after] };
  }
  #tagged(text: string): string {
    return `${text} #${this.#stage.run}`;
  }
}
