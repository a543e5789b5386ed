/** An operator who is asked whether a call ran is told how things are now, if its tool can look. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { InDoubt, type Tool, type ToolContext } from '../../../actors/tools/tool.ts';
import { claim } from '../../../bus/queue/claim.ts';
import { readState } from '../../../bus/state/state-store.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { HeldTool } from '../../support/tools.ts';
import { statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let book: HeldTool;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  book = new HeldTool('book', 'writes');
});
afterEach(() => crew.stop());

const leaseMs = 400;
/** Either node may get the ticket of a task that its worker has lost. */
const node = async (name: string, changes: Partial<Tool>) => {
  const kinds = [defineKind({ name: 'clerk', prompt: 'You keep the books.', tools: [{ ...book.tool, ...changes }] })];
  return crew.node(await crew.join(name), { kinds, types: ['clerk'], leaseMs });
};
const asked = (id: string) => statusWhere(joined.crew, id, ({ question }) => question?.kind === 'in-doubt');

/** A task whose worker is in the middle of `book` when another worker claims it. */
async function lostInCall(): Promise<string> {
  const id = await joined.crew.dispatch({ type: 'clerk', instruction: 'Book 12 EUR' });
  (await crew.model.next()).end([{ tool: 'book', args: { eur: 12 } }]);
  await book.next();
  const { record } = (await readState(joined.bus, id))!;
  const thief = { node: 'thief', now: joined.bus.now, leaseMs };
  await claim(joined.bus, { type: 'clerk', ticket: { id, run: record.run }, seq: record.ticketSeq }, thief);
  return id;
}

test('the worker that takes the task over looks before the question, and a picture of it is stored', async () => {
  const look = async (args: unknown, { store }: ToolContext) => {
    const { ref } = await store!({ name: 'page.png', type: 'image/png', bytes: new Uint8Array([1]) });
    return `the books now: ${JSON.stringify(args)}, ${ref}`;
  };
  await node('first', { look });
  const id = await lostInCall();
  await node('second', { look });
  const { note, question } = await asked(id);
  expect(question!.text).toMatch(/already\. Did it\?\nthe books now: \{"eur":12\}, .*\/preview-[0-9a-f]{16}$/);
  expect(note).toMatch(/the books now: \{"eur":12\}, .*\/preview-[0-9a-f]{16}/);
});

test('a look that fails is told, and the question comes all the same', async () => {
  const look = async () => {
    throw new Error('the books are locked');
  };
  await node('first', { look });
  const id = await lostInCall();
  await node('second', { look });
  expect((await asked(id)).note).toContain('it cannot be seen how things are now: the books are locked');
});

test('a call that was lost in its own worker is looked at too', async () => {
  const run = async () => {
    throw new InDoubt('the line went dead');
  };
  await node('first', { run, look: async () => 'the books now: empty' });
  const id = await joined.crew.dispatch({ type: 'clerk', instruction: 'Book 12 EUR' });
  (await crew.model.next()).end([{ tool: 'book', args: { eur: 12 } }]);
  const { note, question } = await asked(id);
  expect(note).toMatch(/the line went dead; the books now: empty/);
  expect(question!.text).toMatch(/already\. Did it\?\nthe books now: empty$/);
});
