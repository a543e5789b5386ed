/** A task writes only messages that fit their schemas, whatever its backend replies: readers pass over all others. */
import fc from 'fast-check';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { CrewSession } from '../../../actors/node/join.ts';
import { scanStream } from '../../../bus/log/stream-scan.ts';
import { Result, Status } from '../../../bus/messages.ts';
import { parseMessage } from '../../../bus/parse-message.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
  await crew.node(joined, { rosterYaml: 'tools: { gated: [] }' });
});
afterEach(() => crew.stop());

const number = fc.oneof(
  fc.double(),
  fc.integer(),
  fc.constantFrom(-5_000_000, '12', 1.5, 1e308, Number.MAX_SAFE_INTEGER, null, true, {}, []),
);
const text = fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom('\ud83d', '\0', '\u001b[31m', '', '__proto__'));
const reply = fc.record({
  text,
  calls: fc.array(fc.record({ tool: fc.oneof(text, fc.constantFrom('read_file', 'write_file')), args: fc.jsonValue() }), {
    maxLength: 3,
  }),
  usage: fc.record(
    { prompt_tokens: number, completion_tokens: number, total_tokens: number, cost: number },
    { requiredKeys: [] },
  ),
});

const given = process.env.COX_FUZZ_SEED;
const seed = given === undefined ? Math.floor(Math.random() * 2 ** 31) : Number(given);

test('every status and every result fits its schema', async () => {
  const replies = fc.sample(reply, { numRuns: 120, seed });
  let next = 0;
  crew.model.answer((call) => {
    const { text, calls, usage } = replies[next++ % replies.length]!;
    call.say(text).end(call.texts('tool').length > 2 ? [] : calls, usage as never);
  });
  const ids = await Promise.all(
    Array.from({ length: 40 }, () =>
      joined.crew.dispatch({ type: 'files', instruction: 'look', limits: { steps: 4, costUsd: null } }),
    ),
  );
  // A task of which every reply fails asks its operator.
  for (const id of ids) await statusWhere(joined.crew, id, ({ outcome, question }) => outcome !== null || question !== null);
  const unread: string[] = [];
  const { subjects } = joined.bus;
  const filter_subjects = [subjects.every('status', '*'), subjects.every('result', '*')];
  let count = 0;
  await scanStream(joined.bus, subjects.logStream, { filter_subjects }, (message) => {
    count++;
    const schema = subjects.parse(message.subject)!.channel === 'status' ? Status : Result;
    if (!parseMessage(schema as typeof Status, message.data)) unread.push(new TextDecoder().decode(message.data).slice(0, 2_000));
  });
  expect(count).toBeGreaterThan(ids.length);
  expect(unread, `COX_FUZZ_SEED=${seed}`).toEqual([]);
});
