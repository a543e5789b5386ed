/** A goal with a budget, on nodes that may be lost, with models that a scripted provider bills. */
import type { CrewSession } from '../../../actors/node/join.ts';
import { Crew } from '../../../bus/crew.ts';
import type { Question, Result, SteeringInput } from '../../../bus/messages.ts';
import type { StateRecord } from '../../../bus/state/state-record.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { childOf } from '../../../bus/task-id.ts';
import { parseRoster } from '../../../roster/load.ts';
import type { TestCrew } from '../../support/crew.ts';
import { Bell } from '../crash-matrix/bell.ts';
import { type Answer, type Luck, type Price, Provider } from './provider.ts';

export interface Prices {
  readonly main: Price;
  readonly other: Price;
}
export type Happening =
  | { readonly what: 'answer'; readonly how: Answer }
  | { readonly what: 'steer'; readonly at: number; readonly message: SteeringInput }
  | { readonly what: 'lose worker' };

/** Most output tokens of one reply. */
export const maxOutput = 100;
/** More answers than any goal needs. */
const patience = 400;

export class Goal {
  readonly provider: Provider;
  /** US dollars that operators have added. */
  toppedUpUsd = 0;
  asked = 0;
  readonly #crew: TestCrew;
  readonly #namespace: string;
  readonly #joined: CrewSession;
  readonly #id: string;
  readonly #bell: Bell;
  readonly #prices: Prices;
  readonly #watching = new AbortController();
  #node: CrewSession | null = null;
  #nodes = 0;

  private constructor(crew: TestCrew, namespace: string, joined: CrewSession, id: string, prices: Prices, luck: () => Luck) {
    this.#crew = crew;
    this.#namespace = namespace;
    this.#joined = joined;
    this.#id = id;
    this.#prices = prices;
    this.#bell = new Bell();
    this.provider = new Provider(`#${namespace}`, { 'model-main': prices.main, 'model-other': prices.other }, luck, () =>
      this.#bell.ring(),
    );
    void this.#watch();
  }

  /** @param known Called before the first request of the goal. */
  static async dispatch(
    crew: TestCrew,
    namespace: string,
    prices: Prices,
    luck: () => Luck,
    costUsd: number,
    known: (goal: Goal) => void,
  ): Promise<Goal> {
    const joined = await crew.join(`driver-${namespace}`, namespace);
    const id = await new Crew(joined.bus, { name: 'driver' }).dispatch({
      ...{ type: 'supervisor', instruction: `the goal #${namespace}`, limits: { costUsd } },
    });
    const goal = new Goal(crew, namespace, joined, id, prices, luck);
    known(goal);
    await goal.#replaceNode();
    return goal;
  }

  async go(happening: Happening): Promise<void> {
    switch (happening.what) {
      case 'answer':
        await this.#settled();
        this.provider.answer(happening.how);
        break;
      case 'steer': {
        await this.#settled();
        const tree = await this.#tree();
        const { message } = happening;
        const tag = `#${this.#namespace}`;
        const task = message.type === 'add' && { task: { ...message.task, instruction: `do d ${tag}` } };
        const text = message.type === 'redirect' && { text: `something else ${tag}` };
        await this.#joined.crew.steer(tree[happening.at % tree.length]!.id, { ...message, ...task, ...text } as SteeringInput);
        break;
      }
      case 'lose worker':
        await this.#replaceNode();
    }
  }

  /**
   * Answers all questions and requests until there is a result.
   * @param isSpendthrift Sub-tasks go on while they have money, at least when their budget is not raised.
   * @param generous US dollars that are added to a budget that runs dry; 0: the answer is `stop`.
   */
  async finish(isSpendthrift: boolean, generous: number): Promise<Result> {
    const answered = new Set<string>();
    const result = await this.#bell.until('the result', async () => {
      while (this.provider.open.length > 0) this.provider.answer(isSpendthrift && generous === 0 ? 'look' : 'reply');
      const tree = await this.#tree();
      for (const record of tree) if (record.phase !== 'done') await this.#help(record, answered, generous);
      return tree[0]?.result ?? null;
    });
    // The tasks that are left may not spend any more.
    await this.#node?.close();
    this.#watching.abort();
    for (const call of [...this.provider.open]) call.cut();
    await this.provider.settled();
    return result;
  }

  async #help({ id, last, snapshot }: StateRecord, answered: Set<string>, generous: number): Promise<void> {
    const once = async (what: string, message: SteeringInput) => {
      if (answered.has(`${id} ${what}`)) return;
      if (answered.size > patience) throw new Error(`${id} has not ended with all this help: ${JSON.stringify(last)}`);
      answered.add(`${id} ${what}`);
      await this.#joined.crew.steer(id, message);
    };
    const question = (snapshot?.context as { question?: Question | null } | undefined)?.question;
    if (question?.kind === 'budget') {
      if (!answered.has(`${id} ${question.id}`)) this.asked++;
      if (generous === 0) return once(question.id, { type: 'answer', question: question.id, text: 'stop' });
      if (!answered.has(`${id} ${question.id}`)) this.toppedUpUsd += generous;
      return once(question.id, { type: 'budget', costUsd: generous, steps: 3 });
    }
    if (question) {
      const [first = 'words'] = question.choices ?? [];
      // A task that fails again and again is skipped or stopped in the end.
      const text = answered.size > patience / 4 ? (question.choices?.find((choice) => /skip|stop/.test(choice)) ?? first) : first;
      return once(question.id, { type: 'answer', question: question.id, text });
    }
  }

  /** Waits until a request is open or no task works any more. */
  async #settled(): Promise<void> {
    await this.#bell.until('something to answer', async () => {
      if (this.provider.open.length > 0) return true;
      const tree = await this.#tree();
      return tree.length > 0 && tree.every(({ phase }) => phase === 'done' || phase === 'parked') ? true : null;
    });
  }

  async #tree(): Promise<StateRecord[]> {
    const goal = (await readState(this.#joined.bus, this.#id))?.record;
    if (!goal) return [];
    const children = Array.from({ length: goal.children }, (_, i) => readState(this.#joined.bus, childOf(this.#id, i + 1)));
    return [goal, ...(await Promise.all(children)).flatMap((stored) => stored?.record ?? [])];
  }

  async #replaceNode(): Promise<void> {
    await this.#node?.abandon();
    const node = await this.#crew.join(`node-${this.#namespace}-${this.#nodes++}`, this.#namespace);
    this.#node = node;
    const backend = (name: keyof Prices) => {
      const { input, output } = this.#prices[name];
      return `{ base_url: "${this.#crew.model.url}", model: model-${name}, tier: local, good_at: [files], can_orchestrate: ${name === 'main'}, cost: { input: ${input}, output: ${output} }, max_output: ${maxOutput}, concurrency: 3 }`;
    };
    const roster = parseRoster(
      `backends:
  main: ${backend('main')}
  other: ${backend('other')}
agents: { files: { prompt: You look., tools: [list_files], needs: [files], limits: { steps: 12, repeats: 100 } } }
limits: { retries: 1, retry_first_ms: 0, breaker_failures: 1000 }
`,
      '/roster.yaml',
    );
    await this.#crew.node(node, { roster: { current: () => roster }, leaseMs: 1_000, quietMs: 20, drainMs: 60_000 });
  }

  async #watch(): Promise<void> {
    for await (const _ of this.#joined.crew.watch(null, this.#watching.signal)) this.#bell.ring();
  }
}
