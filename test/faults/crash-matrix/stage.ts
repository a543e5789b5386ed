/** One run of a scenario as its operator sees it: what was sent, what was asked, what happened outside. Outlives every worker. */
import type { Crew } from '../../../bus/crew.ts';
import type { Question, Receipt, Status, SteeringInput } from '../../../bus/messages.ts';
import type { ModelCall } from '../../support/model-server.ts';
import type { Effect } from './outside.ts';

export interface Scenario {
  readonly name: string;
  /** Dispatches the task whose end is waited for. */
  begin(stage: Stage): Promise<string>;
  /** Has no memory of its own: what it says next follows from the conversation, and from what has happened on the stage. */
  model(call: ModelCall, stage: Stage): void;
  /** What the operator does at a status, beside answering. */
  see?(status: Status, stage: Stage): void;
  /** How a question is answered that is not about a doubt; null: not at all. Default: `yes`. */
  answer?(question: Question, status: Status, stage: Stage): SteeringInput | null;
  /** What `book` must have been called for in the end, and how often. */
  readonly books: Readonly<Record<string, number>>;
}

export class Stage {
  readonly run: string;
  readonly crew: Crew;
  readonly scenario: Scenario;
  readonly effects: Effect[] = [];
  readonly receipts: { readonly task: string; readonly receipt: Receipt }[] = [];
  /** Questions about doubtful effects. */
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

  /** However often what leads to it comes again after a crash. */
  once(what: string, action: () => Promise<unknown>): void {
    if (!this.#done.has(what)) this.#done.set(what, action());
  }
  mark(what: string): void {
    this.#marks.add(what);
  }
  has(...marks: string[]): boolean {
    return marks.every((mark) => this.#marks.has(mark));
  }

  /** To the goal. @param id by which a run without a crash is compared with it. */
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

  /** Fails when anything that the operator did failed. */
  async settled(): Promise<void> {
    await Promise.all(this.#done.values());
  }

  /** How often a tool was called for something, whoever called it. */
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

  /** The operator looks into the outside world. Every task of a scenario calls `book` once at most. */
  #hasRun(task: string): boolean {
    return this.effects.some((effect) => effect.task === task && effect.tool === 'book');
  }

  #sawReceipt(task: string, receipt: Receipt): void {
    this.receipts.push({ task, receipt });
    const [, seconds] = /answer again in (\d+) s/.exec(receipt.reason ?? '') ?? [];
    if (receipt.kind !== 'answer' || receipt.fate !== 'returned' || !seconds) return;
    // As it was told: a lost worker must be ruled out first.
    const [, question = ''] = /^answer-(q\d+)/.exec(receipt.steer) ?? [];
    this.once(`again ${task} ${receipt.steer}`, async () => {
      await new Promise((resolve) => setTimeout(resolve, Number(seconds) * 1000));
      await this.crew.steer(task, { type: 'answer', id: `${receipt.steer}-again`, question, text: 'run it again' });
    });
  }
}
