/** All steering commands: each sends one message to one task and prints its receipts. */
import { z } from 'zod';
import type { CrewSession } from '../../actors/node/join.ts';
import type { Crew, Sent } from '../../bus/crew.ts';
import type { Receipt, SteeringInput, Urgency } from '../../bus/messages.ts';
import { returned } from '../../bus/state/state-record.ts';
import type { TaskId } from '../../bus/task-id.ts';
import { meant } from '../approval.ts';
import { approvalHelp } from '../approval-help.ts';
import type { Cli, Options, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { count, parseOptions } from '../parse-options.ts';
import { withPlanKeys } from '../plan-keys.ts';
import { receiptLine } from '../render/receipt.ts';
import { findTask, withCrew } from '../session.ts';
import { type SteerOptions, type VerbName, verbs } from '../verbs.ts';
import { untilNobodyWorks } from '../working-nodes.ts';

const Shape = z.object({
  now: z.boolean().optional(),
  next: z.boolean().optional(),
  after: z.boolean().optional(),
  expectStep: count(0, 1_000_000).optional(),
  wait: z.boolean().default(true),
});

export const steering =
  (name: VerbName): Run =>
  async (cli, [ref = '', ...words], options) => {
    const { wait, ...how } = steerOptions(options);
    const said = verbs[name].message(words, how);
    return withCrew(cli, { start: 'if stored' }, async ({ crew, bus }, isTemporary) => {
      const id = await findTask(crew, ref);
      const { to, message } = await meantAt(cli, { crew, bus }, id, await withPlanKeys(crew, id, said));
      const delivered = await deliver(cli, crew, to, message, waitOf(wait, isTemporary));
      if (isTemporary && delivered.fate === 'sent') cli.out.note(takenUpLater);
      if (cli.global.json) cli.out.answer(delivered, []);
      return codeOf(delivered);
    });
  };

/** What the operator's words become, and what else they ask for is done (cli/approval.ts). */
export async function meantAt(cli: Cli, { crew, bus }: Pick<CrewSession, 'crew' | 'bus'>, id: TaskId, said: SteeringInput) {
  const help = approvalHelp(cli, bus, { terminal: cli.out.stderr, lend: (run) => run() });
  const { note, ...meaning } = await meant(crew, id, said, help);
  if (note !== undefined) cli.out.note(note);
  return meaning;
}

/** The log stream keeps a message until a node comes. Only its receipts are not to be waited for. */
export const takenUpLater = 'Stored. No node is up: it is taken up with the next cox or cox up.';

/** A message to a task and what became of it. */
export interface Delivered {
  readonly id: TaskId;
  readonly steer: string;
  readonly seq: number;
  readonly fate: Receipt['fate'] | 'sent';
  readonly receipts: readonly Receipt[];
}

/** `nobody`: no node is up, so that only the stored task can say something. */
export type Wait = 'receipts' | 'nobody' | 'nothing';
export const waitOf = (wait: boolean, isTemporary: boolean): Wait => (!wait ? 'nothing' : isTemporary ? 'nobody' : 'receipts');

/** Sends a message. Without `--json` it prints the receipts as they come. */
export async function deliver(cli: Cli, crew: Crew, id: TaskId, said: SteeringInput, wait: Wait): Promise<Delivered> {
  const sent = await crew.steer(id, said);
  const receipts: Receipt[] = [];
  try {
    for await (const receipt of receiptsOf(cli, crew, id, said, sent, wait)) {
      receipts.push(receipt);
      if (!cli.global.json) cli.out.answer(receipt, [receiptLine(id, receipt, cli.out.paint.stdout)]);
    }
  } catch (cause) {
    cli.out.note(`Message ${sent.steer} to ${id} is stored; only its receipts cannot be shown. Do not send it again.`);
    throw cause;
  }
  if (cli.signal.aborted)
    cli.out.note(`Message ${sent.steer} was sent to ${id} and is not taken back. cox status ${id} shows its receipts.`);
  cli.signal.throwIfAborted();
  if (wait !== 'receipts' && receipts.length === 0 && !cli.global.json) cli.out.answer(sent, [`${id} sent as ${sent.steer}`]);
  return { id, steer: sent.steer, seq: sent.seq, fate: receipts.at(-1)?.fate ?? 'sent', receipts };
}

async function* receiptsOf(
  cli: Cli,
  crew: Crew,
  id: TaskId,
  said: SteeringInput,
  sent: Sent,
  wait: Wait,
): AsyncGenerator<Receipt> {
  if (wait === 'receipts') yield* untilFinal(cli, crew, id, sent);
  // A node that comes later can only return a message to a task that has ended.
  const outcome = wait === 'nobody' ? (await crew.status(id))?.outcome : null;
  if (outcome) yield returned(sent.steer, said.type, sent.seq, `the task has ended: ${outcome}`);
}

/** The receipts of a message. If the last node that works on the task leaves before the final one, this says so and ends. */
async function* untilFinal(cli: Cli, crew: Crew, id: TaskId, sent: Sent): AsyncGenerator<Receipt> {
  const over = new AbortController();
  const until = AbortSignal.any([cli.signal, over.signal]);
  const end = async () => {
    const type = (await crew.status(id))?.type;
    if (type === undefined) return;
    await untilNobodyWorks(crew, type, until);
    cli.out.note(
      `${id}: Stored. No node works on tasks of the kind ${type}: it is taken up with the next cox or cox up that does.`,
    );
    over.abort();
  };
  void end().catch(() => {});
  try {
    yield* crew.receipts(id, sent, until);
  } finally {
    over.abort();
  }
}

function steerOptions(options: Options): SteerOptions & { wait: boolean } {
  const { now, next, after: atEnd, expectStep, wait } = parseOptions(Shape, options);
  const given: Readonly<Record<Urgency, boolean | undefined>> = { now, 'next-step': next, after: atEnd };
  const named = (Object.keys(given) as Urgency[]).filter((urgency) => given[urgency]);
  if (named.length > 1)
    throw usageError(
      'Only one of --now, --next and --after.',
      '--now interrupts, --next waits for the next model call, --after for the end.',
    );
  return { ...(named[0] && { urgency: named[0] }), wait, ...(expectStep === undefined ? {} : { expectStep }) };
}

export const codeOf = ({ fate }: Pick<Delivered, 'fate'>): ExitCode => (fate === 'returned' ? exitCodes.returned : exitCodes.ok);
