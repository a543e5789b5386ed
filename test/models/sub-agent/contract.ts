/**
 * The steering contract of a sub-agent, written from the promises in docs/architecture.md and the rules in docs/task-protocol.md,
 * not from the chart. It keeps its own account of what an operator, a model and the tools were told, and compares it with what
 * can be observed after every event. Its clauses by letter: A answers · B budgets · C in doubt · D what comes next · E effects ·
 * F stuck · K partial kept · S previews · V what must be produced · W what was done ·
 * M conversation · N urgency · L reserves · O receipts · P pause · U usage · X ends · Y redirect · Z
 * salvage
 */
import { isDeepStrictEqual } from 'node:util';
import type { Message, QuestionKind, ToolCall } from '../../../machines/conversation.ts';
import type { Effect, EffectOutcome } from '../../../machines/effects.ts';
import type { Missing, SubAgentInput } from '../../../machines/sub-agent.ts';
import { Till } from '../till.ts';
import type { ModelEvent } from './alphabet.ts';
import type { Observation, Seen } from './observation.ts';

/** A message that must be there; `text` is a pattern where the chart chooses the wording. */
interface Expected {
  role: Message['role'];
  text: string | RegExp;
  call?: string;
  calls?: string[];
  unfinished?: boolean;
}
interface Sent {
  id: string;
  kind: string;
  text: string;
  urgency: 'now' | 'next-step' | 'after';
}
interface Fate {
  id: string;
  kind: string;
  fate: 'queued' | 'applied' | 'returned';
  step?: number;
  /** Whether the receipt has a reason, or a pattern of it. */
  reason: boolean | RegExp;
}
type Next = QuestionKind | 'held' | 'acting' | 'previewing' | 'checking' | 'completed' | 'thinking';

const effectIn: Partial<Record<Observation['state'], 'think' | 'act' | 'preview' | 'check'>> = {
  thinking: 'think',
  acting: 'act',
  previewing: 'preview',
  checking: 'check',
};

export class BrokenContract extends Error {}

export class Contract {
  #was: Observation;
  readonly #failuresAllowed: number;
  readonly #repeatsAllowed: number;
  #instruction: string;
  #backend: string | null;
  #steps: number;
  #costUsd: number | null;
  readonly #grantedUsd: number | null;
  #paused = false;
  #open: ToolCall[] = [];
  #lastCalls = '';
  #saidItsLast = false;
  #answer: string | null = null;
  #said = '';
  #conversation: Expected[];
  #queued: Sent[] = [];
  #fates: Fate[] = [];
  #step = 0;
  #failures = 0;
  #repeats = 0;
  #hopeless = false;
  #toolsFail = false;
  readonly #till = new Till();
  /** The state in which the present step began; the step is undone if its model call is not made. */
  #begun: { due: Sent[]; saidItsLast: boolean; answer: string | null } = { due: [], saidItsLast: false, answer: null };
  readonly #questions = new Set<string>();
  readonly #did: Effect[] = [];
  #read: string[] = [];
  readonly #allowed: Set<string>;
  #mustProduce: boolean;
  #checked = false;
  #missing: Missing | null = null;

  constructor(input: SubAgentInput, first: Observation) {
    this.#was = first;
    this.#instruction = input.instruction;
    this.#backend = input.backend;
    this.#steps = input.limits.steps;
    this.#costUsd = input.limits.costUsd;
    this.#grantedUsd = input.limits.costUsd;
    this.#failuresAllowed = input.limits.failures;
    this.#repeatsAllowed = input.limits.repeats;
    this.#conversation = [{ role: 'user', text: input.instruction }];
    this.#allowed = new Set(input.allowed);
    this.#mustProduce = input.mustProduce;
  }

  /** What a call did is listed once, when the call ends. Calls that only read are not listed. */
  #lists(call: ToolCall | undefined, outcome: EffectOutcome, changes: readonly { readonly target: string }[] = []) {
    if (!call || call.effects === 'none') return;
    const { id, tool } = call;
    for (const change of changes.length > 0 ? changes : [{ target: tool }])
      this.#did.push({ call: id, tool, step: this.#step, outcome, ...change });
  }

  /** Checks what is observed after an event; call it after every one. @throws BrokenContract */
  after(event: ModelEvent, is: Observation): void {
    const was = this.#was;
    const must = (ok: unknown, rule: string, ...seen: unknown[]) => {
      if (!ok)
        throw new BrokenContract(`${rule} — after ${JSON.stringify(event)}, ${was.state} → ${is.state}: ${JSON.stringify(seen)}`);
    };
    const began = is.seen.filter((each): each is Exclude<Seen, { ended: string }> => 'began' in each);
    const ended = is.seen.flatMap((each) => ('ended' in each ? [each.ended] : []));
    must(was.state !== 'done', 'X nothing comes after the end');

    let question = was.question;
    const close = () => {
      question = null;
      this.#failures = 0;
      this.#repeats = 0;
      this.#hopeless = false;
      this.#toolsFail = false;
    };
    const busy = effectIn[was.state] !== undefined;
    const head = this.#open[0];
    const leftToFinish = was.state === 'acting' && head?.effects !== 'none';
    const receive = (id: string, kind: string, fate: Fate['fate'], reason: Fate['reason'] = fate === 'returned') => {
      this.#fates.push({ id, kind, fate, reason, ...(fate === 'applied' && { step: this.#step }) });
    };
    const enqueue = (id: string, kind: string, text: string, urgency: Sent['urgency'] = 'now') => {
      this.#queued.push({ id, kind, text, urgency });
      receive(id, kind, 'queued', urgency === 'now' && (question !== null || this.#paused || leftToFinish));
    };
    const cutOff = () => {
      if (this.#said !== '') this.#conversation.push({ role: 'assistant', text: this.#said, unfinished: true });
      this.#said = '';
    };
    const resultOf = (text: string | RegExp) => {
      const call = this.#open.shift();
      if (call) this.#conversation.push({ role: 'tool', text, call: call.id });
    };
    const fail = (tools: boolean, hopeless = false) => {
      this.#failures++;
      this.#toolsFail = tools;
      this.#hopeless = hopeless;
    };

    // The meaning of the event, and whether something new may begin after it.
    let decides = false;
    let ends: { kind: string; code?: string | RegExp } | null = null;
    let tooDear = false;
    let lastWord: string | null = null;
    switch (event.type) {
      case 'START':
        decides = true;
        break;
      case 'MODEL_SAID':
        this.#said += event.text;
        break;
      case 'MODEL_REPLIED': {
        decides = true;
        lastWord = 'think';
        this.#said = '';
        const asked = JSON.stringify(event.calls.map(({ tool, args }) => [tool, args]));
        this.#repeats = event.calls.length > 0 && asked === this.#lastCalls ? this.#repeats + 1 : 0;
        this.#lastCalls = asked;
        if (!this.#toolsFail) {
          this.#failures = 0;
          this.#hopeless = false;
        }
        this.#open = [...event.calls];
        this.#saidItsLast = event.calls.length === 0;
        this.#answer = this.#saidItsLast ? event.text : null;
        this.#conversation.push({ role: 'assistant', text: event.text, calls: event.calls.map(({ id }) => id) });
        this.#till.bill(event.backend, event.usage);
        this.#checked = false;
        break;
      }
      case 'CALL_BILLED':
        this.#till.bill(event.backend, event.usage);
        break;
      case 'CALL_PRICED':
        this.#till.doubt();
        if (this.#costUsd === null || this.#till.spent + event.worstUsd <= this.#costUsd) {
          this.#till.out = { backend: event.backend, worstUsd: event.worstUsd };
          break;
        }
        decides = true;
        tooDear = true;
        if (event.first) this.#takeBack();
        else cutOff();
        break;
      case 'MODEL_FAILED':
      case 'xstate.error.actor.think':
        decides = true;
        lastWord = 'think';
        cutOff();
        fail(false, event.type === 'MODEL_FAILED' && !event.error.retryable);
        break;
      case 'TOOL_RETURNED':
        if (event.call !== head?.id) break;
        if (was.state !== 'acting' && was.state !== 'previewing' && question?.kind !== 'in-doubt') break;
        decides = true;
        lastWord = effectIn[was.state] ?? 'act';
        this.#lists(head, event.failed ? 'failed' : 'done', event.changes);
        this.#read = [...new Set([...this.#read, ...(event.sources ?? [])])];
        resultOf(head.edited ? new RegExp(`^${event.text}[^]*operator[^]*price`) : event.text);
        if (event.failed) fail(true);
        else {
          this.#failures = 0;
          this.#toolsFail = false;
          this.#hopeless = false;
        }
        if (question) close();
        break;
      case 'PREVIEWED':
        if (event.call !== head?.id || was.state !== 'previewing') break;
        decides = true;
        lastWord = 'preview';
        this.#open[0] = { ...head, preview: event.preview, ...(head.mayPass && event.ask === false && { gated: false }) };
        break;
      case 'xstate.error.actor.preview':
        decides = true;
        lastWord = 'preview';
        if (head) this.#open[0] = { ...head, preview: null };
        break;
      case 'CALL_OUTDATED': {
        if (event.call !== head?.id || was.state !== 'acting') break;
        decides = true;
        lastWord = 'act';
        const { preview: _, ...unseen } = head;
        this.#open[0] = { ...unseen, started: false, gated: true };
        break;
      }
      case 'CALL_DOUBTED':
        // Only a call that writes can be in doubt.
        if (event.call !== head?.id || was.state !== 'acting' || head.effects !== 'writes') break;
        decides = true;
        lastWord = 'act';
        break;
      case 'CHECKED':
        decides = true;
        lastWord = 'check';
        if (event.missing === null) this.#checked = true;
        else if (this.#missing !== null) ends = { kind: 'failed', code: event.missing.code };
        else {
          this.#missing = event.missing;
          this.#saidItsLast = false;
          this.#answer = null;
          this.#conversation.push({ role: 'user', text: new RegExp(event.missing.what) });
        }
        break;
      case 'CHECK_FAILED':
      case 'xstate.error.actor.check':
        decides = true;
        lastWord = 'check';
        fail(false, event.type === 'CHECK_FAILED' && !event.error.retryable);
        break;
      case 'xstate.error.actor.act':
        decides = true;
        lastWord = 'act';
        if (head?.effects === 'writes') break; // in doubt
        this.#lists(head, 'failed');
        resultOf(/fail/);
        fail(true);
        break;
      case 'SWAP':
        receive(event.id, 'swap', 'applied');
        this.#backend = event.backend;
        if (question?.kind === 'stuck') {
          close();
          decides = true;
        }
        // It breaks off a model call or a check, and no tool call.
        if (event.now && busy && !head) {
          cutOff();
          decides = true;
        }
        break;
      case 'ALLOW':
        receive(event.id, 'allow', 'applied');
        this.#allowed.add(event.tool);
        if (question?.kind === 'approval' && head?.tool === event.tool) {
          close();
          decides = true;
        }
        break;
      case 'BUDGET':
        receive(event.id, 'budget', 'applied');
        this.#steps += event.steps ?? 0;
        if (this.#costUsd !== null) this.#costUsd += event.costUsd ?? 0;
        if (question?.kind === 'budget') {
          // Money and steps end no row of failures or repeats.
          question = null;
          decides = true;
        }
        break;
      case 'PAUSE':
        receive(event.id, 'pause', 'applied');
        this.#paused = true;
        decides = busy && !leftToFinish;
        if (decides) cutOff();
        break;
      case 'RESUME':
        receive(event.id, 'resume', 'applied');
        this.#paused = false;
        decides = was.state === 'awaiting-steer';
        break;
      case 'CANCEL':
        receive(event.id, 'cancel', 'applied');
        ends = { kind: 'cancelled' };
        break;
      case 'DEADLINE_PASSED':
        ends = { kind: 'failed', code: 'deadline' };
        break;
      case 'xstate.error.actor.deadline':
        ends = { kind: 'failed', code: /deadline/ };
        break;
      case 'REDIRECT':
        this.#instruction = event.text;
        this.#mustProduce = false;
        this.#missing = null;
        if (question?.kind === 'in-doubt') {
          this.#failures = 0;
          this.#repeats = 0;
        } else close();
        decides = was.state === 'awaiting-steer' || (busy && !leftToFinish);
        if (decides) cutOff();
        enqueue(event.id, 'redirect', event.text);
        break;
      case 'STEER':
        if (question?.kind === 'stuck') {
          close();
          decides = true;
        }
        if (busy && event.urgency === 'now' && !leftToFinish) {
          cutOff();
          decides = true;
        }
        enqueue(event.id, 'steer', event.text, event.urgency);
        break;
      case 'ANSWER':
        if (event.question !== question?.id || (question.kind === 'budget' && event.text !== 'stop')) {
          receive(event.id, 'answer', 'returned', event.question === question?.id ? /budget/ : /not open/);
          break;
        }
        if (question.kind === 'approval' && !['approve', 'deny', 'stop'].includes(event.text)) {
          receive(event.id, 'answer', 'returned', /stays open/);
          break;
        }
        decides = true;
        if (event.text === 'stop' && question.kind !== 'asked' && question.choices?.includes('stop')) {
          ends = { kind: 'failed', code: question.kind };
          receive(event.id, 'answer', 'applied');
        } else if (question.kind === 'stuck' && event.text !== 'try again') {
          close();
          enqueue(event.id, 'answer', event.text);
        } else {
          const { kind } = question;
          close();
          const allowed = event.args ? /^allowed, as edited$/ : /^allowed$/;
          const decided = kind === 'approval' && (event.text === 'approve' ? allowed : /^denied$/);
          receive(event.id, 'answer', 'applied', decided);
          if (head && kind === 'approval' && event.text === 'approve') {
            const { mayPass: _, ...allowedOne } = head;
            this.#open[0] = { ...allowedOne, gated: false, ...(event.args !== undefined && { args: event.args, edited: true }) };
          } else if (head && kind === 'in-doubt' && event.text === 'run it again') this.#open[0] = { ...head, started: false };
          else if (kind === 'asked') resultOf(event.text);
          else if (kind !== 'stuck') {
            this.#lists(head, kind === 'approval' ? 'denied' : event.text === 'it ran' ? 'done' : 'in-doubt');
            resultOf(new RegExp(event.text));
          }
        }
        break;
      case 'RESTORED':
        decides = was.state !== 'idle';
        cutOff();
        break;
    }

    // L. A request that was out when its state ended is in doubt.
    if (busy && (decides || ends)) this.#till.doubt();

    // D. The next effect, question or end.
    const next = ends ? null : tooDear ? 'budget' : decides ? this.#next(question !== null) : null;
    if (ends || next === 'completed') {
      const kind = ends?.kind ?? 'completed';
      must(is.state === 'done' && is.outcome?.kind === kind, 'X it ends as it should', is.outcome, kind);
      const code = is.outcome?.kind === 'failed' ? is.outcome.code : undefined;
      if (ends?.code)
        must(typeof ends.code === 'string' ? code === ends.code : ends.code.test(code ?? ''), 'X and says why', is.outcome);
      if (is.outcome?.kind === 'failed') must(is.outcome.message !== '', 'X and says why in words', is.outcome);
      if (is.outcome?.kind === 'failed' && event.type === 'ANSWER')
        must(!is.outcome.retryable, 'X what the operator stopped stays stopped');
      must(began.length === 0, 'X nothing begins at the end', began);
      must(is.question === null, 'X no question is left open', is.question);
      for (const call of this.#open) if (call.started) this.#lists(call, 'in-doubt');
      for (const sent of this.#queued) this.#settle(sent, { fate: 'returned', reason: true });
      this.#queued = [];
      this.#checkSalvage(is, must);
    } else if (next === null) {
      must(is.state === was.state, 'N it goes on with what it was doing', is.state);
      must(is.seen.length === 0, 'N nothing is interrupted and nothing begins', is.seen);
      must(is.question?.id === question?.id, 'A the question stays as it was', is.question);
    } else if (next === 'held') {
      must(is.state === 'awaiting-steer' && began.length === 0, 'P it waits', began);
      must(isDeepStrictEqual(is.question, question), 'A the question stays as it was', is.question, question);
    } else if (next === 'thinking') {
      const [think, ...others] = began;
      must(is.state === 'thinking' && think?.began === 'think' && others.length === 0, 'D one model call begins', is.seen);
      if (think?.began !== 'think') return;
      const { backend, step, instruction, messages, leftUsd, wanted } = think.input;
      must(wanted === (this.#missing?.tool ?? null), 'V it knows which tool makes what is missing', wanted);
      this.#checked = false;
      const due = this.#queued.filter(({ urgency }) => urgency !== 'after' || this.#saidItsLast);
      this.#step++;
      this.#begun = { due, saidItsLast: this.#saidItsLast, answer: this.#answer };
      for (const sent of due) {
        this.#settle(sent, { fate: 'applied', step: this.#step });
        this.#conversation.push({ role: 'user', text: sent.kind === 'redirect' ? new RegExp(sent.text) : sent.text });
      }
      this.#queued = this.#queued.filter((sent) => !due.includes(sent));
      this.#saidItsLast = false;
      this.#answer = null;
      must(leftUsd === (this.#costUsd === null ? null : this.#costUsd - this.#till.spent), 'L it knows what is left', leftUsd);
      must(step === this.#step, 'B every model call is a step', step, this.#step);
      must(backend === this.#backend, 'Y a swap counts from the next call on', backend, this.#backend);
      must(instruction === this.#instruction, 'Y the instruction is the latest', instruction);
      this.#checkConversation(messages, must);
      must(is.question === null, 'D no question is open while it thinks', is.question);
    } else if (next === 'acting') {
      const [act, ...others] = began;
      must(is.state === 'acting' && act?.began === 'act' && others.length === 0, 'D one tool call begins', is.seen);
      if (act?.began !== 'act') return;
      must(act.input.call.id === this.#open[0]?.id, 'E it is the one that is due', act.input);
      must(act.input.call.started === true, 'C what begins is marked before', act.input);
      const { mayPass, gated, preview } = act.input.call;
      const sight = [mayPass, gated, preview];
      const seen = [this.#open[0]?.mayPass, this.#open[0]?.gated, this.#open[0]?.preview];
      must(isDeepStrictEqual(sight, seen), 'S it is held to what was shown', sight, seen);
      must(isDeepStrictEqual(act.input.call.args, this.#open[0]?.args), 'S it runs with what was allowed', act.input);
      must(act.input.step === this.#step, 'E the call knows its step', act.input);
      const left = this.#costUsd === null ? null : this.#costUsd - this.#till.spent;
      must(act.input.leftUsd === left && act.input.backend === this.#backend, 'L it knows what is left', act.input, left);
      this.#open[0] = { ...this.#open[0]!, started: true };
      must(is.question === null, 'D no question is open while it acts', is.question);
    } else if (next === 'previewing') {
      const [preview, ...others] = began;
      must(
        is.state === 'previewing' && preview?.began === 'preview' && others.length === 0,
        'S it looks what would change',
        is.seen,
      );
      if (preview?.began !== 'preview') return;
      must(preview.input.call.id === this.#open[0]?.id, 'S of the call that is due', preview.input);
      must(!preview.input.call.started && is.question === null, 'S before anyone is asked', preview.input);
    } else if (next === 'checking') {
      const [check, ...others] = began;
      must(is.state === 'checking' && check?.began === 'check' && others.length === 0, 'V it looks what is there', is.seen);
      if (check?.began !== 'check') return;
      must(check.input.answer === this.#answer, 'V of the last word', check.input);
      const left = this.#costUsd === null ? null : this.#costUsd - this.#till.spent;
      must(check.input.leftUsd === left && check.input.step === this.#step, 'L it knows what is left', check.input);
      must(isDeepStrictEqual(check.input.effects, this.#did), 'V and of all that was done', check.input);
      must(is.question === null, 'D no question is open while it checks', is.question);
    } else {
      must(
        is.state === 'awaiting-steer' && is.question?.kind === next && began.length === 0,
        `D it asks (${next})`,
        is.question,
        began,
      );
      must(!this.#questions.has(is.question!.id), 'A a question has an id of its own', is.question);
      this.#questions.add(is.question!.id);
      this.#checkQuestion(is, must);
    }

    // E. An effect in flight that has not sent its last event is stopped, and no other one.
    const flying = effectIn[was.state] ?? null;
    if (flying && (decides || ends) && event.type !== 'RESTORED')
      must(ended.includes(flying) || lastWord, 'E what was in flight is stopped', ended);
    const live = effectIn[is.state] ?? null;
    const armed = [...(live ? [live] : []), ...(is.state === 'idle' || is.state === 'done' ? [] : ['deadline'])];
    must(!is.armed || isDeepStrictEqual([...is.armed].sort(), armed.sort()), 'E one effect, and the deadline always', [
      ...(is.armed ?? []),
    ]);

    must(isDeepStrictEqual(is.effects, this.#did), 'W what was done is listed', is.effects, this.#did);
    must(isDeepStrictEqual(is.sources, this.#read), 'W what was read is listed', is.sources, this.#read);
    must(is.paused === this.#paused, 'P paused as told', is.paused);
    must(is.step === this.#step, 'B steps are counted', is.step);
    must(isDeepStrictEqual(is.usage, this.#till.usage), 'U cost is kept by backend', is.usage, this.#till.usage);
    const out = this.#till.reserved;
    must(isDeepStrictEqual(is.reserved, out), 'L what is out is set aside, and nothing else', is.reserved, out);
    must(
      is.toppedUpUsd === (this.#costUsd ?? 0) - (this.#grantedUsd ?? 0),
      'L whoever set the limit learns what was added',
      is.toppedUpUsd,
    );
    if (event.type === 'CALL_PRICED' && this.#costUsd !== null && out)
      must(this.#till.spent + out.costUsd <= this.#costUsd, 'L what is spent and what is out stay within the limit');
    this.#checkReceipts(is, must);
    this.#was = is;
  }

  #next(asked: boolean): Next {
    const [head] = this.#open;
    if (head?.started && head.effects === 'writes' && !asked) return 'in-doubt';
    if (asked || this.#paused) return 'held';
    const seeThrough = head?.started === true && head.effects !== 'none';
    if (head && !seeThrough && this.#queued.some(({ urgency }) => urgency === 'now')) this.#giveUp(this.#open.splice(0));
    if (this.#failures >= this.#failuresAllowed || this.#repeats >= this.#repeatsAllowed || this.#hopeless) return 'stuck';
    const [call] = this.#open;
    if (call?.asks) return 'asked';
    if (call?.mayPass && call.preview === undefined) return 'previewing';
    if (call?.gated && !this.#allowed.has(call.tool)) return call.preview === undefined ? 'previewing' : 'approval';
    if (call) return 'acting';
    if (this.#saidItsLast && this.#queued.length === 0) return this.#mustProduce && !this.#checked ? 'checking' : 'completed';
    if (this.#step >= this.#steps || (this.#costUsd !== null && this.#till.spent >= this.#costUsd)) return 'budget';
    return 'thinking';
  }

  /** Undoes a step whose model call was not made: its corrections wait for the next one. */
  #takeBack() {
    const { due, saidItsLast, answer } = this.#begun;
    this.#conversation.splice(this.#conversation.length - due.length);
    this.#step--;
    this.#fates = this.#fates.map((each) => {
      if (!due.some(({ id }) => id === each.id)) return each;
      const { step: _, ...rest } = each;
      return { ...rest, fate: 'queued' };
    });
    const order = this.#fates.map(({ id }) => id);
    this.#queued = [...due, ...this.#queued].sort((a, b) => order.indexOf(a.id) - order.indexOf(b.id));
    this.#saidItsLast = saidItsLast;
    this.#answer = answer;
  }

  /** Gives every open call a result that says how far it got. */
  #giveUp(calls: ToolCall[]) {
    for (const { id, started, effects } of calls) {
      const text = started ? (effects === 'none' ? /^stopped/ : /^may have run/) : /^not run/;
      this.#conversation.push({ role: 'tool', text, call: id });
    }
  }

  #settle({ id }: Sent, fate: Partial<Fate>) {
    this.#fates = this.#fates.map((each) => (each.id === id ? { ...each, ...fate } : each));
  }

  #checkReceipts({ receipts }: Observation, must: Must) {
    const same = ({ id, kind, fate, step, reason = '' }: Observation['receipts'][number], want: Fate) =>
      isDeepStrictEqual([id, kind, fate, step], [want.id, want.kind, want.fate, want.step]) &&
      (want.reason instanceof RegExp ? want.reason.test(reason) : (reason !== '') === want.reason);
    const whole = receipts.length === this.#fates.length && receipts.every((receipt, i) => same(receipt, this.#fates[i]!));
    must(whole, 'O one receipt each, in order, as it should be', receipts, this.#fates);
  }

  #checkConversation(messages: readonly Message[], must: Must) {
    const same = (message: Message, { role, text, call, calls, unfinished }: Expected) =>
      message.role === role &&
      (typeof text === 'string' ? message.text === text : text.test(message.text)) &&
      (message.role !== 'tool' || message.call === call) &&
      (message.role !== 'assistant' ||
        ((message.unfinished ?? false) === (unfinished ?? false) &&
          isDeepStrictEqual(
            (message.calls ?? []).map(({ id }) => id),
            calls ?? [],
          )));
    const whole = messages.length === this.#conversation.length && messages.every((m, i) => same(m, this.#conversation[i]!));
    must(
      whole,
      'M the model is told all that happened, once, in order',
      messages,
      this.#conversation.map(({ text, role }) => `${role}: ${text}`),
    );
  }

  #checkQuestion({ question, step }: Observation, must: Must) {
    const { kind, text, choices } = question!;
    const [call] = this.#open;
    must(
      kind === 'asked' || choices?.includes(kind === 'approval' ? 'deny' : 'stop'),
      'A it says what can be answered',
      question,
    );
    if (kind === 'asked')
      must(isDeepStrictEqual(call?.args, { question: text, choices }), 'A the question is the model’s own', question);
    if (kind === 'approval' || kind === 'in-doubt') must(text.includes(call!.tool), 'A it says what it is about', question);
    if (kind === 'approval' && call?.preview) must(text.includes(call.preview.text), 'S it shows what would change', question);
    if (kind === 'budget')
      must(text.includes(step >= this.#steps ? 'step' : '$') || text.includes('$'), 'B it says what is used up', question);
    if (kind === 'stuck') must(text !== '' && !text.includes('undefined'), 'F it says what is wrong', question);
  }

  /** Z. A stop throws nothing away. */
  #checkSalvage({ output }: Observation, must: Must) {
    if (this.#said !== '') this.#conversation.push({ role: 'assistant', text: this.#said, unfinished: true });
    const unsure = this.#open.filter(({ started, effects }) => started && effects !== 'none').map(({ id }) => id);
    this.#giveUp(this.#open);
    must(output, 'Z it has an output');
    if (!output) return;
    this.#checkConversation(output.messages, must);
    must(output.answer === this.#answer, 'Z the answer is the last word', output.answer, this.#answer);
    must(isDeepStrictEqual(output.inDoubt, unsure), 'Z it says what may have run', output.inDoubt, unsure);
  }
}
type Must = (ok: unknown, rule: string, ...seen: unknown[]) => void;
