/**
 * Says a line of the page to the primary agent of a node that hears the talk, as if it had been typed there. The line is a record
 * of the stored talk that names that client; nobody else answers it while that client lives.
 */
import { randomUUID } from 'node:crypto';
import type { Bus } from '../../bus/bus.ts';
import { TalkLine } from '../../bus/messages.ts';
import { allNodes } from '../../bus/nodes.ts';
import { describe } from '../../bus/parse-message.ts';
import { Talk } from '../../bus/talk/talk.ts';
import { CoxError } from '../../platform/errors.ts';

/** @throws CoxError `no-primary`, `bad-request`, and those of the bus. */
export async function sayLine(bus: Bus, text: unknown): Promise<{ id: string; by: string }> {
  // The one that has started last is where the operator sits now.
  const hearing = (await allNodes(bus)).filter(({ hearsTalk }) => hearsTalk).sort((a, b) => (a.since < b.since ? 1 : -1));
  const [primary] = hearing;
  if (!primary)
    throw new CoxError('no-primary', 'No primary agent is running that would answer', {
      hint: 'Start the prompt in a terminal: cox. Nothing was sent.',
    });
  const id = randomUUID();
  const { data: line, error } = TalkLine.safeParse({ id, text, by: primary.name, at: bus.now().toISOString(), state: 'waiting' });
  if (!line) throw new CoxError('bad-request', describe(error), { hint: 'Load the page of the console again.' });
  await new Talk(bus).write(line, 0);
  return { id, by: primary.name };
}
