/**
 * The contract of a supervisor, written from the promises in docs/architecture.md and the rules in docs/task-protocol.md, not
 * from the chart. It keeps its own account of the plan, the children and the ledger, and compares it with what can be observed
 * after every event. Its clauses by letter: A answers · D what comes next · E effects · F failures · G the plan is as it should
 * be · L budget · N urgency · O receipts · P pause · R relays · U usage · X ends · Y the next call knows all
 */
import { isDeepStrictEqual } from 'node:util';
import { outUsd } from '../../../machines/budget.ts';
import type { Reduce } from '../../../machines/plan.ts';
import type { SupervisorInput } from '../../../machines/supervisor-context.ts';
import { BrokenContract } from '../sub-agent/contract.ts';
import { Till } from '../till.ts';
import { Account } from './account.ts';
import type { ModelEvent } from './alphabet.ts';
import type { Observation, Seen } from './observation.ts';

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
  reason?: RegExp;
  reached?: number[];
}
interface Ending {
  kind: string;
  code?: string | RegExp;
}
type Rest = Observation['state'];

export class Contract {
  #was: Observation;
  readonly #account: Account;
  readonly #maxAttempts: number;
  readonly #budgetUsd: number;
  readonly #allowed: string[];
  #instruction: string;
  #backend: string | null;
  #reduce: Reduce | null = null;
  #corrections: string[] = [];
  #queued: Sent[] = [];
  #fates: Fate[] = [];
  #paused = false;
  #step = 0;
  #failures = 0;
  #hopeless = false;
  #ending: Ending | null = null;
  #answer: string | null = null;
  #draft: string | null = null;
  readonly #till = new Till();
  /** The sub-task that the open question is about; null for the goal itself, undefined without a question. */
  #asked: string | null | undefined;
  /** The question about the goal itself is about money. */
  #asksForMoney = false;
  readonly #questions = new Set<string>();

  constructor(input: SupervisorInput, first: Observation) {
    this.#was = first;
    this.#account = new Account(input.policy);
    this.#maxAttempts = input.policy.maxAttempts;
    this.#budgetUsd = input.policy.budgetUsd!;
    this.#allowed = [...input.allowed];
    this.#instruction = input.instruction;
    this.#backend = input.backend;
  }

  /** Checks what is observed after an event; call it after every one. @throws BrokenContract */
  after(event: ModelEvent, is: Observation): void {
    const was = this.#was;
    const must: Must = (ok, rule, ...seen) => {
      if (!ok)
        throw new BrokenContract(`${rule} — after ${JSON.stringify(event)}, ${was.state} → ${is.state}: ${JSON.stringify(seen)}`);
    };
    must(was.state !== 'done', 'X nothing comes after the end');

    const asked = this.#asked;
    const decides = this.#take(event, was);
    const thinks = was.state === 'decomposing' || was.state === 'reducing';
    if (thinks && decides) this.#till.doubt();
    const stays = asked !== undefined && this.#asked === asked;
    const expected = decides ? this.#advance() : was.state;
    must(is.state === expected, `D what comes next is ${expected}`, is.state);

    const began = is.seen.filter((each): each is Exclude<Seen, { ended: string }> => 'began' in each);
    const effect = { decomposing: 'decompose', reducing: 'reduce', stopping: 'drain' }[is.state as string];
    const begins = effect !== undefined && (decides || was.state !== is.state);
    must(
      isDeepStrictEqual(
        began.map((each) => each.began),
        begins ? [effect] : [],
      ),
      'E one effect begins, where one should',
      is.seen,
    );
    if (!decides && was.state === is.state) must(is.seen.length === 0, 'N nothing is interrupted', is.seen);
    for (const each of began) this.#checkInput(each, must);
    const armed = [...(effect ? [effect] : []), ...(['idle', 'stopping', 'done'].includes(is.state) ? [] : ['deadline'])];
    must(
      !is.armed || isDeepStrictEqual([...is.armed].sort(), armed.sort()),
      'E every wait has a way out',
      [...(is.armed ?? [])],
      armed,
    );

    must(isDeepStrictEqual(is.allowed, this.#allowed), 'R children that start later are told what is allowed', is.allowed);
    must(is.paused === this.#paused, 'P paused as told', is.paused);
    must(is.step === this.#step, 'D plans and reductions are counted', is.step, this.#step);
    must(isDeepStrictEqual(is.usage, this.#till.usage), 'U each child’s cost counts once', is.usage, this.#till.usage);
    const out = this.#till.reserved;
    must(isDeepStrictEqual(is.reserved, out), 'L what is out is set aside, and nothing else', is.reserved, out);
    this.#checkSlices(is, must);
    must(
      isDeepStrictEqual(is.relays, this.#account.relays),
      'R children are told what they should be',
      is.relays,
      this.#account.relays,
    );
    must(!stays || is.question?.id === was.question?.id, 'A what is asked stays asked', is.question);
    this.#checkQuestion(is, !stays, must);
    this.#checkPlan(is, must);
    this.#checkReceipts(is, must);
    if (is.state === 'done') this.#checkEnd(is, must);
    this.#was = is;
  }

  /** Takes in the event. @returns whether something new may begin after it. */
  #take(event: ModelEvent, was: Observation): boolean {
    const account = this.#account;
    const isPlain = this.#reduce !== null && !['orchestrator', 'backend'].includes(this.#reduce.by);
    const command = 'id' in event ? kinds[event.type] : undefined;
    if ('id' in event && was.state === 'stopping') {
      this.#return(event.id, command!, event.type === 'ANSWER' ? /not open/ : /ending/);
      return false;
    }
    switch (event.type) {
      case 'START':
        return true;
      case 'ALLOW':
        this.#tellChildren(event.id, 'allow', event.tool);
        if (!this.#allowed.includes(event.tool)) this.#allowed.push(event.tool);
        return false;
      case 'CHILDREN_WAIT':
        for (const child of event.children) if (account.runningChildren.includes(child)) account.waiting.add(child);
        return was.state === 'collecting';
      case 'CALL_BILLED':
        this.#till.bill(event.backend, event.usage);
        return false;
      case 'CALL_PRICED':
        this.#till.doubt();
        if (event.worstUsd <= account.leftUsd(this.#till.spent)) {
          this.#till.out = { backend: event.backend, worstUsd: event.worstUsd };
          return false;
        }
        this.#asked = null;
        this.#asksForMoney = true;
        return true;
      case 'PLANNED':
        this.#reduce = event.reduce;
        account.plan(event.nodes);
        this.#takeUp(this.#step, false);
        this.#till.bill(event.backend, event.usage);
        this.#forgive();
        return true;
      case 'PLAN_FAILED':
      case 'REDUCE_FAILED':
        this.#failures++;
        this.#hopeless = !event.error.retryable;
        return true;
      case 'xstate.error.actor.decompose':
      case 'xstate.error.actor.reduce':
        this.#failures++;
        this.#hopeless = false;
        return true;
      case 'REDUCED':
        this.#answer = event.answer;
        this.#till.bill(event.backend, event.usage);
        this.#forgive();
        return true;
      case 'CHILDREN_RETURNED':
        for (const each of event.returns) {
          const { counted, fatal } = account.takeReturn(each, this.#ending !== null);
          if (counted) for (const [backend, usage] of Object.entries(each.usage)) this.#till.spend(backend, usage);
          if (fatal) this.#end({ kind: 'failed', code: fatal.code });
        }
        if (was.state === 'stopping') return account.running.length + account.strays.size === 0;
        return was.state === 'collecting' || was.state === 'awaiting-steer';
      case 'DRAIN_EXPIRED':
      case 'xstate.error.actor.drain':
        for (const task of account.running) Object.assign(task, { status: 'failed', failure: 'unconfirmed' });
        account.strays.clear();
        // They may spend all of their slices, and nobody will report it.
        if (account.setAsideUsd > 0) this.#till.spendAll('unconfirmed', account.setAsideUsd);
        account.slices.clear();
        return true;
      case 'DEADLINE_PASSED':
        this.#end({ kind: 'failed', code: 'deadline' });
        return true;
      case 'xstate.error.actor.deadline':
        this.#end({ kind: 'failed', code: /deadline/ });
        return true;
      case 'RESTORED':
        return was.state !== 'idle';
      case 'CANCEL':
        this.#apply(event.id, 'cancel');
        this.#end({ kind: 'cancelled' });
        return true;
      case 'PAUSE':
        this.#tellChildren(event.id, 'pause');
        this.#paused = true;
        return was.state !== 'idle';
      case 'RESUME':
        this.#tellChildren(event.id, 'resume');
        this.#paused = false;
        return was.state === 'awaiting-steer';
      case 'SWAP':
        this.#apply(event.id, 'swap');
        this.#backend = event.backend;
        return this.#helps() || (event.now === true && (was.state === 'decomposing' || was.state === 'reducing'));
      case 'BUDGET':
        if (event.costUsd === undefined) {
          this.#return(event.id, 'budget', /sub-task/);
          return false;
        }
        this.#apply(event.id, 'budget');
        account.toppedUpUsd += event.costUsd;
        if (!this.#wantsMoney) return false;
        // Money does not end a row of failures.
        this.#asked = undefined;
        return true;
      case 'REDIRECT':
        account.redirect(event.id);
        this.#instruction = event.text;
        this.#reduce = null;
        this.#overtake();
        this.#asked = undefined;
        this.#forgive();
        this.#enqueue(event.id, 'redirect', event.text);
        return was.state !== 'idle';
      case 'STEER': {
        const { id, text, urgency } = event;
        const helps = this.#helps();
        if (
          !helps &&
          urgency !== 'after' &&
          ['collecting', 'awaiting-steer'].includes(was.state) &&
          this.#reduce &&
          account.hasUnsettled
        ) {
          const children = account.runningChildren;
          this.#corrections.push(text);
          if (children.length > 0) account.relays.push({ id, kind: 'steer', text, urgency, children });
          this.#fates.push({ id, kind: 'steer', fate: 'applied', step: this.#step, reached: children });
          return false;
        }
        this.#enqueue(id, 'steer', text, urgency);
        return helps || (urgency === 'now' && (was.state === 'decomposing' || (was.state === 'reducing' && !isPlain)));
      }
      case 'ANSWER':
        return this.#takeAnswer(event, was);
      case 'ADD': {
        const { node, id } = event;
        if (!this.#reduce || account.tasks.has(node.key) || node.after.some((key) => !account.tasks.has(key))) {
          this.#return(id, 'plan', this.#reduce ? new RegExp(node.key) : /no plan/);
          return false;
        }
        account.add(node);
        this.#reopen(new Set());
        this.#apply(id, 'plan');
        return true;
      }
      case 'DROP':
      case 'RERUN': {
        const task = account.tasks.get(event.key);
        if (!this.#reduce || !task || (event.type === 'DROP' && task.status === 'dropped')) {
          this.#return(event.id, 'plan', this.#reduce ? new RegExp(event.key) : /no plan/);
          return false;
        }
        if (event.type === 'DROP') {
          account.drop(event.key, event.id);
          this.#reopen(new Set([event.key]));
        } else {
          const { type: _, id, key, ...change } = event;
          this.#reopen(account.rerun(key, id, change));
        }
        this.#apply(event.id, 'plan');
        return true;
      }
    }
  }

  #takeAnswer({ id, question, text }: Extract<ModelEvent, { type: 'ANSWER' }>, was: Observation): boolean {
    if (question !== was.question?.id || this.#asked === undefined) {
      this.#return(id, 'answer', /not open/);
      return false;
    }
    const about = this.#asked;
    const forMoney = this.#wantsMoney;
    if (forMoney && text !== 'stop') {
      this.#return(id, 'answer', /budget/);
      return false;
    }
    this.#asked = undefined;
    if (about === null && text === 'words') {
      this.#forgive();
      this.#enqueue(id, 'answer', text);
      return true;
    }
    this.#apply(id, 'answer');
    if (text === 'stop') this.#end({ kind: 'failed', code: forMoney ? 'budget' : about === null ? 'stuck' : 'sub-task-failed' });
    else if (about === null) this.#forgive();
    else {
      const task = this.#account.tasks.get(about)!;
      this.#account.undecided = this.#account.undecided.filter((key) => key !== about);
      if (text !== 'skip') task.status = 'waiting';
      if (text === 'words') task.spec = { ...task.spec, instruction: `${task.spec.instruction}\n\n${text}` };
    }
    return true;
  }

  /** D. The state of rest that must come next. */
  #advance(): Rest {
    const account = this.#account;
    const inFlight = () => account.running.length + account.strays.size > 0;
    if (this.#ending) return inFlight() ? 'stopping' : 'done';
    if (this.#asked === undefined && account.undecided.length > 0) this.#asked = account.undecided[0]!;
    if (this.#paused) return 'awaiting-steer';
    if (this.#asked === undefined && (this.#hopeless || this.#failures >= this.#maxAttempts)) {
      this.#asked = null;
      this.#asksForMoney = false;
    }
    if (this.#asked === null) return 'awaiting-steer';
    if (!this.#reduce) {
      this.#step++;
      this.#takeUp(this.#step, false);
      return 'decomposing';
    }
    account.advance(this.#corrections.length, this.#till.spent);
    if (account.running.length > 0) return 'collecting';
    if (this.#asked !== undefined) return 'awaiting-steer';
    const isPlain = !['orchestrator', 'backend'].includes(this.#reduce.by);
    if (this.#answer !== null && (isPlain || this.#queued.length === 0)) {
      this.#end({ kind: 'completed' }, /takes no corrections/);
      return inFlight() ? 'stopping' : 'done';
    }
    this.#step++;
    if (!isPlain) this.#takeUp(this.#step, this.#answer !== null);
    this.#overtake();
    return 'reducing';
  }

  #enqueue(id: string, kind: string, text: string, urgency: Sent['urgency'] = 'now') {
    this.#queued.push({ id, kind, text, urgency });
    this.#fates.push({ id, kind, fate: 'queued' });
  }
  #apply(id: string, kind: string) {
    this.#fates.push({ id, kind, fate: 'applied', step: this.#step });
  }
  /** A pause and a resume go to the running children too. */
  #tellChildren(id: string, kind: 'pause' | 'resume' | 'allow', text = '') {
    const children = this.#account.runningChildren;
    if (children.length > 0) this.#account.relays.push({ id, kind, text, urgency: 'now', children });
    this.#fates.push({ id, kind, fate: 'applied', step: this.#step, reached: children });
  }

  #return(id: string, kind: string, reason: RegExp) {
    this.#fates.push({ id, kind, fate: 'returned', reason });
  }
  #settle(id: string, fate: Partial<Fate>) {
    this.#fates = this.#fates.map((each) => (each.id === id ? { ...each, ...fate } : each));
  }
  #takeUp(step: number, atEnd: boolean) {
    const due = this.#queued.filter(({ urgency }) => atEnd || urgency !== 'after');
    for (const { id, kind, text } of due) {
      this.#settle(id, { fate: 'applied', step });
      if (kind !== 'redirect') this.#corrections.push(text);
    }
    this.#queued = this.#queued.filter((sent) => !due.includes(sent));
  }
  get #wantsMoney(): boolean {
    return this.#asked === null && this.#asksForMoney;
  }
  #forgive() {
    this.#failures = 0;
    this.#hopeless = false;
  }
  /** A goal that waits for help takes a correction or another backend as help. */
  #helps(): boolean {
    if (this.#asked !== null || this.#asksForMoney) return false;
    this.#asked = undefined;
    this.#forgive();
    return true;
  }
  #overtake() {
    this.#draft = this.#answer ?? this.#draft;
    this.#answer = null;
  }
  #reopen(keys: ReadonlySet<string>) {
    this.#overtake();
    if (this.#asked === null) this.#forgive();
    if (this.#asked === null || (this.#asked !== undefined && keys.has(this.#asked))) this.#asked = undefined;
  }
  /** X. Running children are told to stop before the goal ends. */
  #end(ending: Ending, reason = /ended/) {
    if (this.#ending) return;
    this.#ending = ending;
    this.#asked = undefined;
    this.#account.undecided = [];
    for (const { id } of this.#queued) this.#settle(id, { fate: 'returned', reason });
    this.#queued = [];
    const children = this.#account.runningChildren;
    if (children.length > 0) this.#account.relays.push({ id: 'cancel', kind: 'cancel', text: '', urgency: 'now', children });
  }

  #checkInput(effect: Exclude<Seen, { ended: string }>, must: Must) {
    if (effect.began === 'drain') {
      const live = [...this.#account.strays, ...this.#account.runningChildren].sort();
      must(
        isDeepStrictEqual([...effect.input.children].sort(), live),
        'X it waits for those it told to stop',
        effect.input,
        live,
      );
      return;
    }
    const { instruction, backend, corrections, step, nodes } = effect.input;
    const known = [this.#instruction, this.#backend, this.#step];
    must(
      isDeepStrictEqual([instruction, backend, step], known),
      'Y a call knows the goal and the backend as they are now',
      effect.input,
    );
    must(
      isDeepStrictEqual(corrections, this.#corrections),
      'Y a call knows every correction, once, in order',
      corrections,
      this.#corrections,
    );
    must(
      isDeepStrictEqual(Object.keys(nodes), [...this.#account.tasks.keys()]),
      'Y a call knows what there is',
      Object.keys(nodes),
    );
    if (effect.began === 'decompose') return;
    must(isDeepStrictEqual(effect.input.reduce, this.#reduce), 'Y a reduction knows how', effect.input.reduce);
    must(
      effect.input.draft === this.#draft,
      'Y a reduction knows the answer that was overtaken',
      effect.input.draft,
      this.#draft,
    );
  }

  #checkQuestion({ question }: Observation, isNew: boolean, must: Must) {
    must(
      (question === null ? undefined : question.key) === this.#asked,
      'A the question is the one that is due',
      question,
      this.#asked,
    );
    if (question === null) return;
    must(!isNew || !this.#questions.has(question.id), 'A a question has an id of its own', question);
    this.#questions.add(question.id);
    if (this.#wantsMoney) {
      must(question.kind === 'budget' && /\$.*\$/.test(question.text), 'L it says what it lacks', question);
      must(isDeepStrictEqual(question.choices, ['stop']), 'A it says how', question);
      return;
    }
    must(question.kind === 'stuck', 'A it says what it is', question);
    must(
      question.choices?.includes('stop') && question.choices.includes(question.key === null ? 'try again' : 'skip'),
      'A it says how',
      question,
    );
    const about = question.key === null ? (this.#reduce ? /results/ : /plan/) : new RegExp(question.key);
    must(about.test(question.text) && !question.text.includes('undefined'), 'A it says what about', question);
  }

  /** L. The sum of what is set aside and what is spent stays within the budget. */
  #checkSlices({ slices, toppedUpUsd, usage, reserved }: Observation, must: Must) {
    const { slices: want, toppedUpUsd: added } = this.#account;
    const got = Object.entries(slices).map(([child, usd]) => [Number(child), usd] as const);
    const same = got.length === want.size && got.every(([child, usd]) => Math.abs(usd - (want.get(child) ?? -1)) < 1e-9);
    must(same, 'L every child that has not returned has its slice', slices, [...want]);
    must(toppedUpUsd === added, 'L what is added anywhere below counts', toppedUpUsd, added);
    const spent = Object.values(usage).reduce((sum, { costUsd }) => sum + costUsd, 0);
    const out = this.#account.setAsideUsd + (reserved?.costUsd ?? 0);
    const before = outUsd(this.#was);
    must(out <= before || spent + out <= this.#budgetUsd + added + 1e-9, 'L none of it is given twice', spent, out, added);
  }

  #checkPlan({ plan }: Observation, must: Must) {
    const got = Object.values(plan).map(
      ({ key, status, attempt, child, failure, without, instruction, backend, corrections }) => {
        return [key, status, attempt, child, failure?.code ?? null, without, instruction, backend, corrections];
      },
    );
    const want = this.#account.all.map(({ spec, status, attempt, child, failure, without, corrections }) => {
      // An earlier failure is kept while the sub-task is tried again; only the present state counts.
      const stands = status === 'failed' ? failure : (plan[spec.key]?.failure?.code ?? null);
      return [spec.key, status, attempt, child, stands, without, spec.instruction, spec.backend, corrections];
    });
    must(isDeepStrictEqual(got, want), 'G every sub-task is where it should be', got, want);
  }

  #checkReceipts({ receipts }: Observation, must: Must) {
    const same = ({ id, kind, fate, step, reason = '', reached }: Observation['receipts'][number], want: Fate) =>
      isDeepStrictEqual([id, kind, fate, step, reached], [want.id, want.kind, want.fate, want.step, want.reached]) &&
      (want.reason ? want.reason.test(reason) : reason === '');
    const whole = receipts.length === this.#fates.length && receipts.every((receipt, i) => same(receipt, this.#fates[i]!));
    must(whole, 'O one receipt each, in order, as it should be', receipts, this.#fates);
  }

  #checkEnd({ outcome, output }: Observation, must: Must) {
    must(outcome?.kind === this.#ending?.kind, 'X it ends as it should', outcome, this.#ending);
    const code = this.#ending?.code;
    if (outcome?.kind === 'failed' && code) {
      must(typeof code === 'string' ? outcome.code === code : code.test(outcome.code), 'X and says why', outcome, code);
      must(outcome.message !== '' && !outcome.message.includes('undefined'), 'X and says why in words', outcome);
    }
    must(isDeepStrictEqual(output?.outcome, outcome), 'X the output has the outcome', output);
    must(
      output?.answer === this.#answer && output.draft === this.#draft,
      'X the output has the answer',
      output,
      this.#answer,
      this.#draft,
    );
    must(
      output?.step === this.#step && isDeepStrictEqual(output.usage, this.#till.usage),
      'X the output has the figures',
      output,
    );
  }
}
type Must = (ok: unknown, rule: string, ...seen: unknown[]) => void;

const kinds: Record<string, string> = {
  STEER: 'steer',
  REDIRECT: 'redirect',
  ANSWER: 'answer',
  SWAP: 'swap',
  ALLOW: 'allow',
  BUDGET: 'budget',
  PAUSE: 'pause',
  RESUME: 'resume',
  CANCEL: 'cancel',
  ADD: 'plan',
  DROP: 'plan',
  RERUN: 'plan',
};
