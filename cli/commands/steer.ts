/** All steering commands: each sends one message to one task and prints its receipts. */
import { z } from 'zod';
import type { Receipt, Urgency } from '../../bus/messages.ts';
import type { Options, Run } from '../cli.ts';
import { usageError } from '../errors.ts';
import { type ExitCode, exitCodes } from '../exit-codes.ts';
import { count, parseOptions } from '../parse-options.ts';
import { receiptLine } from '../render/receipt.ts';
import { findTask, withCrew } from '../session.ts';
import { type SteerOptions, type VerbName, verbs } from '../verbs.ts';

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
    return withCrew(cli, { start: false }, async ({ crew }) => {
      const id = await findTask(crew, ref);
      const sent = await crew.steer(id, said);
      const receipts: Receipt[] = [];
      if (wait)
        for await (const receipt of crew.receipts(id, sent, cli.signal)) {
          receipts.push(receipt);
          if (!cli.global.json) cli.out.answer(receipt, receiptLine(id, receipt, cli.out.paint.stdout));
        }
      if (cli.signal.aborted)
        cli.out.note(`Message ${sent.steer} was sent to ${id} and is not taken back. cox status ${id} shows its receipts.`);
      cli.signal.throwIfAborted();
      const last = receipts.at(-1);
      if (cli.global.json) cli.out.answer({ id, steer: sent.steer, seq: sent.seq, fate: last?.fate ?? 'sent', receipts }, '');
      else if (!wait) cli.out.answer(sent, `${id} sent as ${sent.steer}`);
      return codeOf(last);
    });
  };

function steerOptions(options: Options): SteerOptions & { wait: boolean } {
  const { now, next, after: atEnd, expectStep, wait } = parseOptions(Shape, options);
  const given: Readonly<Record<Urgency, boolean | undefined>> = { now, 'next-step': next, after: atEnd };
  const named = (Object.keys(given) as Urgency[]).filter((urgency) => given[urgency]);
  if (named.length > 1)
    throw usageError(
      'Only one of --now, --next and --after.',
      '--now interrupts, --next waits for the next model call, --after for the end.',
    );
  return { urgency: named[0] ?? 'now', wait, ...(expectStep === undefined ? {} : { expectStep }) };
}

const codeOf = (last: Receipt | undefined): ExitCode => (last?.fate === 'returned' ? exitCodes.returned : exitCodes.ok);
