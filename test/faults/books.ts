/**
 * Clerks for the fault tests: they book things, which must not happen twice, and ask their operator.
 * The bookings are counted outside of all that is tested. Afterwards the log is audited: it must have everything that anybody was
 * told.
 */
import { z } from 'zod';
import type { Kind } from '../../actors/kinds/kind.ts';
import type { CrewSession } from '../../actors/node/join.ts';
import { defineTool } from '../../actors/tools/tool.ts';
import type { Bus } from '../../bus/bus.ts';
import type { Sent } from '../../bus/crew.ts';
import { follow } from '../../bus/log/follow.ts';
import { parseResult, parseStatus } from '../../bus/log/projection.ts';
import { parseSteering } from '../../bus/log/steering-log.ts';
import type { Receipt, Status } from '../../bus/messages.ts';
import { pause } from '../../bus/pause.ts';
import { rootOf, type TaskId } from '../../bus/task-id.ts';
import type { ModelCall } from '../support/model-server.ts';
import { finalReceipt } from '../support/watching.ts';

/** A model without a memory of its own: its reply follows from the conversation alone. */
export function bookkeeper(call: ModelCall): void {
  const results = call.texts('tool').filter((text) => !text.includes('not run')).length;
  const user = call.texts('user').join('\n');
  const what = /Book (\w+)/.exec(user)?.[1] ?? 'x';
  if (results === 0) call.call('book', { what });
  else if (results === 1) call.call('ask_operator', { question: `Is ${what} right?` });
  else call.reply(`${what} is booked${user.includes('in euros') ? ' in euros' : ''}`);
}

/** @param book Changes the outside world; the tool returns when it resolves. */
export const clerk = (book: (what: string) => Promise<void> | void): Kind => ({
  name: 'clerk',
  prompt: 'You keep the books.',
  tools: [
    defineTool({
      name: 'book',
      description: 'Books something.',
      args: z.object({ what: z.string() }),
      effects: 'writes',
      run: async ({ what }) => {
        await book(what);
        return { text: `${what}: booked` };
      },
    }),
  ],
  needs: [],
  limits: { steps: 20, failures: 3, repeats: 5, costUsd: null },
});

export const goalOf = (things: readonly string[]) => ({
  type: 'supervisor',
  instruction: 'Keep the books',
  plan: {
    tasks: things.map((key) => ({ key, type: 'clerk', instruction: `Book ${key}`, backend: 'main' })),
    reduce: { by: 'concat' as const },
  },
});

/**
 * A cooperative operator: says "in euros" to every task that asks, then answers. It reads the log and not live messages, so that
 * it misses nothing while its connection is away.
 */
export class Operator {
  readonly #joined: CrewSession;
  readonly #stop = new AbortController();
  readonly #answered = new Set<string>();
  readonly #sent: { id: TaskId; sent: Sent }[] = [];
  readonly #watching: Promise<void>;
  /** Questions about calls in doubt so far. */
  doubts = 0;

  constructor(joined: CrewSession, root: TaskId) {
    this.#joined = joined;
    this.#watching = this.#watch(root);
  }

  async steer(id: TaskId, message: Parameters<CrewSession['crew']['steer']>[1]): Promise<void> {
    this.#sent.push({ id, sent: await this.#joined.crew.steer(id, message) });
  }

  /** Waits until every steer that it sent has its final receipt. */
  async rest(): Promise<Receipt[]> {
    const finals = await Promise.all(this.#sent.map(({ id, sent }) => finalReceipt(this.#joined.crew, id, sent)));
    this.#stop.abort();
    await this.#watching;
    return finals;
  }

  async #watch(root: TaskId): Promise<void> {
    for await (const status of statuses(this.#joined.bus, root, this.#stop.signal)) await this.#see(status);
  }

  async #see({ id, question, outcome }: Status): Promise<void> {
    const key = `${id} ${question?.id}`;
    if (!question || outcome || this.#answered.has(key)) return;
    this.#answered.add(key);
    const isDoubt = question.kind === 'in-doubt';
    if (isDoubt) this.doubts++;
    else await this.steer(id, { type: 'steer', id: `euros-${question.id}`, text: 'in euros', urgency: 'next-step' });
    // The operator has looked at the outside world, so its answer about a call in doubt is true.
    const text = isDoubt ? 'it ran' : 'yes';
    await this.steer(id, { type: 'answer', id: `answer-${question.id}`, question: question.id, text });
  }
}

async function* statuses(bus: Bus, root: TaskId, signal: AbortSignal): AsyncGenerator<Status> {
  const { logStream } = bus.subjects;
  for await (const { data } of follow(bus, logStream, [bus.subjects.every('status', rootOf(root))], 1, signal)) {
    const status = parseStatus(data);
    if (status) yield status;
  }
}

/**
 * Reads a whole tree from the log. @returns what is wrong with it: a task without exactly one result, a status missing or
 * published twice, a steer without exactly one final receipt.
 */
export async function audit({ bus, crew }: CrewSession, root: TaskId): Promise<string[]> {
  const complaints: string[] = [];
  for (const { id } of await crew.tree(root)) {
    if (id === null) continue;
    let found = await messagesOf(bus, id);
    // The record has a result before the log has its projection, and what came after the end gets its receipt a moment later.
    while (owes(found)) {
      await pause(50);
      found = await messagesOf(bus, id);
    }
    if (found.results !== 1) complaints.push(`${id} has ${found.results} results`);
    if (found.commits.some((commit, i) => commit !== i + 1))
      complaints.push(`${id} told of the commits ${found.commits.join(' ')}`);
    for (const steer of new Set(found.steers)) {
      const finals = found.finals.filter((each) => each === steer).length;
      if (finals !== 1) complaints.push(`${id}: ${steer} has ${finals} final receipts`);
    }
  }
  return complaints;
}

const owes = ({ results, steers, finals }: Awaited<ReturnType<typeof messagesOf>>): boolean =>
  results === 0 || steers.some((steer) => !finals.includes(steer));

async function messagesOf({ jsm, subjects }: Bus, id: TaskId) {
  const found = { results: 0, commits: [] as number[], steers: [] as string[], finals: [] as string[] };
  for (const channel of ['status', 'steering', 'result'] as const) {
    const subject = subjects.of(id, channel);
    for (let seq = 1; ; ) {
      const message = await jsm.streams.getMessage(subjects.logStream, { seq, next_by_subj: subject } as never);
      if (!message) break;
      seq = message.seq + 1;
      if (channel === 'steering') found.steers.push(parseSteering(message).steer);
      if (channel === 'result' && parseResult(message.data)) found.results++;
      const status = channel === 'status' ? parseStatus(message.data) : null;
      if (!status) continue;
      found.commits.push(status.commit);
      for (const { steer, fate } of status.receipts) if (fate === 'applied' || fate === 'returned') found.finals.push(steer);
    }
  }
  return found;
}
