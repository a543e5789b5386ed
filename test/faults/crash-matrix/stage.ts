/** One run of a scenario from its operator’s side: what was sent, asked and done outside. It outlives every worker. */
import type { Crew } from '../../../bus/crew.ts';
import type { Question, Receipt, Status, SteeringInput } from '../../../bus/messages.ts';
import type { ModelCall } from '../../support/model-server.ts';
import type { Effect } from './outside.ts';

export interface Scenario {
  readonly name: string;
  /** Dispatches the task whose end the trial waits for. */
  begin(stage: Stage): Promise<string>;
  /** The model. It has no memory of its own: its reply follows from the conversation and from what has happened on the stage. */
  model(call: ModelCall, stage: Stage): void;
  /** The operator’s reaction to a status, beside answers. */
  see?(status: Status, stage: Stage): void;
  /** The answer to a question that is not about a doubt; null: none. Default: `yes`. */
  answer?(question: Question, status: Status, stage: Stage): SteeringInput | null;
  /** The calls of `book` that the whole run must make: thing → how often. */
  readonly books: Readonly<Record<string, number>>;
}

export class Stage {
  readonly run: string;
  readonly crew: Crew;
  readonly scenario: Scenario;
  readonly effects: Effect[] = [];
  readonly receipts: { readonly task: string; readonly receipt: Receipt }[] = [];
  /** Questions about calls in doubt so far. */
  asked = 0;
  readonly #done = new Map<string, Promise<unknown>>();
  readonly #marks = new Set<string>();
  /** Resolves with the goal's id. */
  readonly goal: Promise<string>;
  #begun: (id: string) => void = () => {};

  constructor(run: string, crew: Crew, scenario: Scenario) {
    this.run = run;
    this.crew = crew;
    this.scenario = scenario;
    this.goal = new Promise((resolve) => {
      this.#begun = resolve;
    });
  }

  async begin(): Promise<string> {
    const id = await this.scenario.begin(this);
    this.#begun(id);
    return id;
  }

  /** Acts once for each `what`, however often a crash repeats the reason for it. */
  once(what: string, action: () => Promise<unknown>): void {
    if (!this.#done.has(what)) this.#done.set(what, action());
  }
  mark(what: string): void {
    this.#marks.add(what);
  }
  has(...marks: string[]): boolean {
    return marks.every((mark) => this.#marks.has(mark));
  }

  /** Steers the goal. @param id Names the steer, to compare its fate with that in a run without a crash. */
  async say(id: string, message: SteeringInput): Promise<void> {
    await this.crew.steer(await this.goal, { ...message, id });
  }

  acted(effect: Effect): void {
    this.effects.push(effect);
    effect.returns(`${effect.tool} ${effect.args.what}: done`);
  }

  saw(status: Status): void {
    for (const receipt of status.receipts) this.#sawReceipt(status.id, receipt);
    this.scenario.see?.(status, this);
    const { question } = status;
    if (question) this.once(`answer ${status.id} ${question.id}`, () => this.#answer(status, question));
  }

  /** @throws what any action of the operator threw. */
  async settled(): Promise<void> {
    await Promise.all(this.#done.values());
  }

  /** How often `book` was called for each thing, by any task. */
  timesBooked(): Record<string, number> {
    const times: Record<string, number> = {};
    for (const { tool, args } of this.effects)
      if (tool === 'book') times[String(args.what)] = (times[String(args.what)] ?? 0) + 1;
    return times;
  }

  async #answer(status: Status, question: Question): Promise<void> {
    const isDoubt = question.kind === 'in-doubt';
    if (isDoubt) this.asked++;
    const yes: SteeringInput = { type: 'answer', question: question.id, text: 'yes' };
    const message = isDoubt
      ? { ...yes, text: this.#hasRun(status.id) ? 'it ran' : 'run it again' }
      : this.scenario.answer
        ? this.scenario.answer(question, status, this)
        : yes;
    if (message) await this.crew.steer(status.id, { ...message, id: `answer-${question.id}` });
  }

  /** The operator looks at the outside world. Every task of a scenario calls `book` at most once. */
  #hasRun(task: string): boolean {
    return this.effects.some((effect) => effect.task === task && effect.tool === 'book');
  }

  #sawReceipt(task: string, receipt: Receipt): void {
    this.receipts.push({ task, receipt });
    const [, seconds] = /answer again in (\d+) s/.exec(receipt.reason ?? '') ?? [];
    if (receipt.kind !== 'answer' || receipt.fate !== 'returned' || !seconds) return;
    // Wait as the receipt says: a lost worker must be ruled out first.
    const [, question = ''] = /^answer-(q\d+)/.exec(receipt.steer) ?? [];
    this.once(`again ${task} ${receipt.steer}`, async () => {
      await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
      await this.crew.steer(task, { type: 'answer', id: `${receipt.steer}-again`, question, text: 'run it again' });
    });
  }
}
