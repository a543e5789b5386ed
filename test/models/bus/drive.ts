/**
 * Brings about the events of a path on a real task, one by one, and checks all that is durable and visible of it by the contract
 * of the chart. START is the ticket. Facts of a model or a tool come from the scripted server and the test’s tools. RESTORED is
 * the loss of the node. Commands are steering messages.
 */
import { isDeepStrictEqual } from 'node:util';
import type { SteeringInput } from '../../../bus/messages.ts';
import { TaskSpec } from '../../../bus/messages.ts';
import { pause } from '../../../bus/pause.ts';
import { enqueue } from '../../../bus/queue/task-queue.ts';
import { newRecord, type StateRecord } from '../../../bus/state/state-record.ts';
import { createState, readState } from '../../../bus/state/state-store.ts';
import { goalOf, newRoot } from '../../../bus/task-id.ts';
import { leftUsd } from '../../../machines/budget.ts';
import { type SubAgentEvent, type SubAgentOutput, subAgent } from '../../../machines/sub-agent.ts';
import type { Command } from '../../../machines/task-commands.ts';
import { nothingSaid } from '../../../roster/history.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { Rig } from '../rig.ts';
import { effects, input, label, type ModelEvent, saidBy, swapOf, towardsTheEnd } from '../sub-agent/alphabet.ts';
import { Contract } from '../sub-agent/contract.ts';
import { look, type Observation, observe, type Seen, type Snap, stateOf } from '../sub-agent/observation.ts';
import type { Bystander, Sight } from './bystander.ts';
import { type Place, type } from './world.ts';

type Committed = Snap & { readonly output?: SubAgentOutput };
const committed = ({ snapshot }: StateRecord) => snapshot as unknown as Committed;

/** Names the effect in flight, and differs for each one. */
function flightOf(record: StateRecord): string | null {
  const state = stateOf(committed(record));
  const { step, calls } = committed(record).context;
  if (state === 'thinking') return `think ${step}`;
  if (state === 'previewing') return `preview ${calls[0]?.id} ${record.epoch}`;
  return state === 'acting' ? `act ${calls[0]?.id} ${record.epoch}` : null;
}
const effectOf = (flight: string) => flight.split(' ')[0] as 'think' | 'act' | 'preview';

const runAgain = 'run it again';
const isTaken = (record: StateRecord, { id }: Command) => committed(record).context.steers.some((steer) => steer.id === id);
const isCommand = (event: SubAgentEvent): event is Command => 'id' in event;
const isLastWord = ({ type }: SubAgentEvent) =>
  ['MODEL_REPLIED', 'MODEL_FAILED', 'TOOL_RETURNED', 'PREVIEWED', 'CALL_OUTDATED', 'CALL_DOUBTED'].includes(type);

function messageOf(command: Command): SteeringInput {
  if (command.type === 'SWAP') return swapOf(command);
  const { type, ...fields } = command;
  return { type: type.toLowerCase(), ...fields } as SteeringInput;
}

/** Bound in ms for the difference of two nodes’ clocks: each knows the server’s time to half a round trip. */
const againMs = 100;
/** More answers than any path needs. */
const patience = 40;

export class Drive {
  readonly #place: Place;
  readonly #outside: Bystander;
  readonly #contract: Contract;
  /** The chart alone under the same events. It counts covered transitions, and stands for the task until the claim. */
  readonly #shadow: Rig;
  readonly id: string;
  /** The last record read; null before the claim. */
  record: StateRecord | null = null;
  #said = '';

  private constructor(place: Place, tag: string, id: string, covered: Set<string>) {
    const mine = { ...input, instruction: `do it ${tag}`, mustProduce: false };
    this.#place = place;
    this.#outside = place.bystander(tag, id);
    this.#shadow = new Rig(subAgent, mine, effects, saidBy, covered);
    this.#contract = new Contract(mine, observe(this.#shadow));
    this.id = id;
  }

  /** Creates the task without a ticket. */
  static async open(place: Place, tag: string, covered: Set<string>): Promise<Drive> {
    const id = goalOf(`${newRoot((bytes) => crypto.getRandomValues(bytes))}.0`);
    const spec = TaskSpec.parse({ type, instruction: `do it ${tag}`, backend: input.backend });
    await createState(place.bus, newRecord(id, spec, 'driver', new Date().toISOString()));
    return new Drive(place, tag, id, covered);
  }

  get #context() {
    return committed(this.record!).context;
  }
  get #flight(): string | null {
    return this.record && flightOf(this.record);
  }
  get isThinking(): boolean {
    return this.#flight?.startsWith('think') === true;
  }

  async go(planned: SubAgentEvent): Promise<void> {
    const event = this.#fit(planned);
    const isEarly = this.record === null && isCommand(event);
    try {
      if (isEarly) this.#shadow.drive(event);
      const is = isEarly ? await this.#sendEarly(event) : await this.#bringAbout(event);
      if (isCommand(event) && this.#cameTooSoon(event)) {
        await pause(againMs);
        return await this.go({ ...event, id: `${event.id}'` });
      }
      this.#contract.after(event as ModelEvent, is);
      if (!isEarly) this.#shadow.drive(event);
    } catch (cause) {
      throw new Error(`${this.id}, at ${label(event as ModelEvent)}: ${String(cause)}`, { cause });
    }
  }

  /** A cooperative operator ends the task. After that nothing more may be seen of it. */
  async finish(): Promise<void> {
    for (let i = 0; ; i++) {
      const event = towardsTheEnd(look(this.record ? committed(this.record) : this.#shadow.snapshot));
      if (!event) break;
      if (i > patience) throw new Error(`${this.id} has not ended with all this help`);
      await this.go(event);
    }
    await this.#outside.until(
      () => 'its result',
      () => this.#outside.results > 0,
    );
    const stray = this.#outside.take();
    if (stray.length > 0) throw new Error(`${this.id} goes on after its end: ${JSON.stringify(stray.map(inWords))}`);
  }

  stop(): void {
    this.#shadow.stop();
  }

  /** Adds to the path’s event what only this run knows: ids of calls and of the open question, the backend, the earlier text. */
  #fit(event: SubAgentEvent): SubAgentEvent {
    if (!this.record) return event;
    const { step, calls, question } = this.#context;
    if (event.type === 'MODEL_REPLIED')
      return {
        ...event,
        text: this.#said + event.text,
        backend: String(this.#outside.call?.body.model).replace('model-of-', ''),
        calls: event.calls.map((call, i) => ({ ...call, id: `s${step}-${i}` })),
      };
    if (event.type === 'TOOL_RETURNED' || event.type === 'CALL_OUTDATED' || event.type === 'CALL_DOUBTED')
      return { ...event, call: calls[0]!.id };
    // The tool of this test always has something to show.
    if (event.type === 'PREVIEWED') return { ...event, call: calls[0]!.id, preview: event.preview ?? { text: 'all', base: 'b' } };
    if (event.type === 'ANSWER' && event.question !== 'q0' && question) return { ...event, question: question.id };
    return event;
  }

  /** Nobody takes a steer in before the claim; until then the chart alone tells its fate. */
  async #sendEarly(command: Command): Promise<Observation> {
    await this.#steer(command);
    const assumed = observe(this.#shadow);
    if (assumed.state !== 'done') return assumed;
    await this.#dispatch();
    return this.#observe(command, ({ phase }) => phase === 'done');
  }

  async #bringAbout(event: SubAgentEvent): Promise<Observation> {
    const before = this.#flight;
    const moved = (record: StateRecord) => flightOf(record) !== before;
    const { call, run, preview } = this.#outside;
    switch (event.type) {
      case 'START':
        await this.#dispatch();
        return this.#observe(event, (record) => stateOf(committed(record)) !== 'idle');
      case 'MODEL_SAID': {
        const heard = this.#outside.tokens;
        call!.say(event.text);
        await this.#outside.until(
          () => 'a token',
          () => this.#outside.tokens > heard,
        );
        this.#said += event.text;
        return this.#observe(event, () => true);
      }
      case 'MODEL_REPLIED': {
        const { inputTokens: prompt_tokens, outputTokens: completion_tokens, costUsd: cost } = event.usage;
        call!.say(event.text.slice(this.#said.length));
        this.#outside.saidLastWordTo(call!);
        call!.end(event.calls, { prompt_tokens, completion_tokens, cost });
        return this.#observe(event, moved);
      }
      case 'MODEL_FAILED':
        this.#outside.saidLastWordTo(call!);
        call!.fail(event.error.retryable ? 503 : 401);
        return this.#observe(event, moved);
      case 'TOOL_RETURNED':
        if (preview) {
          this.#outside.saidLastWordTo(preview);
          preview.refuses(event.text);
          return this.#observe(event, moved);
        }
        this.#outside.saidLastWordTo(run!);
        if (event.failed) run!.fails(event.text);
        else
          run!.returns(event.text, {
            ...(event.changes && { changes: event.changes }),
            ...(event.sources && { sources: event.sources }),
          });
        return this.#observe(event, moved);
      case 'CALL_OUTDATED':
        this.#outside.saidLastWordTo(run!);
        run!.isOutdated();
        return this.#observe(event, moved);
      case 'CALL_DOUBTED':
        this.#outside.saidLastWordTo(run!);
        run!.isInDoubt();
        return this.#observe(event, moved);
      case 'PREVIEWED':
        this.#outside.saidLastWordTo(preview!);
        preview!.shows({ ...event.preview!, ...(event.ask !== undefined && { ask: event.ask }) });
        return this.#observe(event, moved);
      case 'RESTORED':
        return this.#lose(event);
      case 'CHECKED':
      case 'CHECK_FAILED':
        throw new Error('these tasks have nothing to produce');
      case 'CALL_PRICED':
      case 'CALL_BILLED':
        throw new Error('the backends of this test have no price');
      case 'DEADLINE_PASSED':
        throw new Error('deadlines are tried in process: here they would take real time');
      default:
        await this.#waitOutDoubt(event);
        await this.#steer(event);
        return this.#observe(event, (record) => isTaken(record, event) || record.known.includes(event.id));
    }
  }

  /** Whether the doubt had not ended yet by the node’s clock, which differs from ours. The operator then answers again. */
  #cameTooSoon(command: Command): boolean {
    return command.type === 'ANSWER' && command.text === runAgain && this.record !== null && !isTaken(this.record, command);
  }

  async #dispatch(): Promise<void> {
    await enqueue(this.#place.bus, type, 'pending', { id: this.id, run: 1 });
  }
  async #steer(command: Command): Promise<void> {
    await this.#place.crew.steer(this.id, messageOf(command));
  }

  async #lose(event: SubAgentEvent): Promise<Observation> {
    const { epoch } = this.record!;
    const waits = this.#flight === null;
    // A parked task is on no node, so the loss of a node does not touch it. The next steer wakes it elsewhere.
    if (waits) await this.#read('parked', (record) => record.phase === 'parked');
    this.#outside.disown();
    await this.#place.replaceNode();
    return this.#observe(event, (record) => waits || (record.last?.epoch ?? 0) > epoch);
  }

  /** Waits until `doubtfulUntil`: while the lost worker may still run the call, `run it again` is returned. */
  async #waitOutDoubt(command: Command): Promise<void> {
    if (command.type !== 'ANSWER' || command.text !== runAgain || !this.record?.doubtfulUntil) return;
    const leftMs = Date.parse(this.record.doubtfulUntil) - Date.now();
    await pause(Math.max(0, leftMs + 1));
  }

  async #read(what: string, isSo: (record: StateRecord) => boolean): Promise<void> {
    await this.#outside.until(
      () => what,
      async () => {
        const stored = await readState(this.#place.bus, this.id);
        if (!stored?.record.snapshot || !isSo(stored.record)) return false;
        this.record = stored.record;
        return true;
      },
    );
  }

  /** Waits for the commit that has the event, then for the effects that it says have begun and ended. */
  async #observe(event: SubAgentEvent, isTakenIn: (record: StateRecord) => boolean): Promise<Observation> {
    const before = this.#flight;
    await this.#read('a commit', isTakenIn);
    const now = this.#flight;
    if (now !== before) {
      this.#said = '';
      const cutOff = before !== null && !isLastWord(event) && event.type !== 'RESTORED' ? effectOf(before) : null;
      if (cutOff)
        await this.#outside.until(
          () => `the end of ${before}`,
          () => this.#outside.hasEnded(cutOff),
        );
      if (now)
        await this.#outside.until(
          () => `the beginning of ${now}`,
          () => this.#outside.hasBegun(effectOf(now)),
        );
    }
    return this.#observation();
  }

  #observation(): Observation {
    const snapshot = committed(this.record!);
    const { step, paused, question, steers, usage, reserved, toppedUpUsd, outcome, effects: done, sources } = snapshot.context;
    const { output } = snapshot;
    return {
      state: stateOf(snapshot),
      step,
      paused,
      question,
      receipts: steers,
      usage,
      reserved,
      toppedUpUsd,
      effects: done,
      sources,
      outcome,
      output: output ? { answer: output.answer, messages: output.messages, inDoubt: output.inDoubt.map(({ id }) => id) } : null,
      seen: this.#outside.take().map((sight) => this.#seen(sight)),
      armed: null,
    };
  }

  /** An effect that began must be the one in the commit; the contract may then judge by the commit. */
  #seen(sight: Sight): Seen {
    const { instruction, backend, messages, step, calls, limits } = this.#context;
    if ('ended' in sight) return sight;
    if (sight.began === 'think') {
      const { call } = sight;
      const wire = spoken(call);
      const said = messages.map(({ text }) => text).filter((text) => text !== '');
      if (call.body.model !== `model-of-${backend}`) throw new Error(`${call.body.model} was called, not that of ${backend}`);
      if (wire !== said.join('\n\n')) throw new Error(`the model was told ${wire}, not ${said.join('\n\n')}`);
      const left = leftUsd(limits.costUsd, this.#context);
      return { began: 'think', input: { instruction, backend, messages, step, leftUsd: left, wanted: null } };
    }
    const [call] = calls;
    if (sight.began === 'preview') {
      if (sight.run.call !== call?.id) throw new Error(`${sight.run.call} is looked at, not ${JSON.stringify(call)}`);
      return { began: 'preview', input: { call } };
    }
    const { run } = sight;
    if (run.call !== call?.id || run.tool !== call.tool || !isDeepStrictEqual(run.args, call.args))
      throw new Error(`${run.tool} runs as ${run.call}, not ${JSON.stringify(call)}`);
    return { began: 'act', input: { call, step, backend, leftUsd: leftUsd(limits.costUsd, this.#context) } };
  }
}

const unfinishedMark = ' [interrupted here by the operator]';
const spoken = ({ messages }: ModelCall): string =>
  messages
    .filter(({ role, content }) => role !== 'system' && content)
    .map(({ content }) => content!.replace(unfinishedMark, ''))
    // A history never ends with a reply: a server gets a word of the user there that nobody said.
    .filter((content) => content !== nothingSaid.next)
    .join('\n\n');
const inWords = (sight: Sight) => ('ended' in sight ? `${sight.ended} ended` : `${sight.began} began`);
