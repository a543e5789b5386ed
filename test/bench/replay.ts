/**
 * The time to read the journal of a task of many steps, against one read of its state record, and against one read of its statuses.
 * `node test/bench/replay.ts`; COX_BENCH_STEPS (default 1000). Fails nothing.
 */

import { z } from 'zod';
import { defineKind } from '../../actors/kinds/define-kind.ts';
import { openReplayDesk } from '../../actors/node/replay-desk.ts';
import { defineTool } from '../../actors/tools/tool.ts';
import { messagesAfter } from '../../bus/state/batch-get.ts';
import { readState } from '../../bus/state/state-store.ts';
import { testCrew } from '../support/crew.ts';
import { testRoster } from '../support/roster.ts';

const count = Number(process.env.COX_BENCH_STEPS ?? 1_000);
const rounds = 7;
const note = 'A line of a result as tools give it, with some words in it.\n'.repeat(4);
const look = defineTool({
  name: 'read_file',
  description: 'Looks.',
  args: z.object({ n: z.number() }),
  effects: 'none',
  run: async ({ n }) => ({ text: `${n}: ${note}` }),
});
const crew = await testCrew();
try {
  const joined = await crew.join('bench');
  const kind = defineKind({ name: 'files', prompt: 'You look.', tools: [look], limits: { steps: count + 10 } });
  const node = await crew.node(joined, { kinds: [kind], types: ['files'] });
  crew.model.answer((call) => {
    const n = call.texts('tool').length;
    if (n + 1 >= count) call.reply('done');
    else call.call('read_file', { n });
  });
  const { bus } = joined;
  const id = await joined.crew.dispatch({ type: 'files', instruction: 'Look often', backend: 'main' });
  await joined.crew.result(id, AbortSignal.timeout(1_200_000));
  await node.stop();
  const desk = openReplayDesk(joined, testRoster(crew.model.url), crew.folder, [kind]);
  const timed = async (act: () => Promise<unknown>) => {
    const times: number[] = [];
    for (let round = 0; round < rounds; round++) {
      const from = performance.now();
      await act();
      times.push(performance.now() - from);
    }
    return times.toSorted((a, b) => a - b)[Math.floor(rounds / 2)]!;
  };
  let statuses = 0;
  const readStatuses = async () => {
    statuses = 0;
    for await (const _ of messagesAfter(bus, bus.subjects.logStream, bus.subjects.of(id, 'status'), 0)) statuses++;
  };
  const record = await timed(() => readState(bus, id));
  const log = await timed(readStatuses);
  const { snapshot } = (await readState(bus, id))!.record;
  console.log(`${count} steps, ${statuses} statuses, checkpoint of ${JSON.stringify(snapshot).length} characters`);
  console.log('                               ms   × reading the record');
  const row = (name: string, ms: number) =>
    console.log(`${name.padEnd(26)} ${ms.toFixed(1).padStart(7)}   ${(ms / record).toFixed(1)}`);
  row('the record', record);
  row('the statuses', log);
  const read = (prompts: 'none' | 'changes') => joined.crew.journal({ task: id, prompts }, { all: true, rebuild: desk.rebuild });
  row('the steps, no prompts', await timed(() => read('none')));
  row('the steps with prompts', await timed(() => read('changes')));
  const page = { task: id, from: count - 99, limit: 100 };
  row('the last 100 with prompts', await timed(() => joined.crew.journal(page, { rebuild: desk.rebuild })));
  const { steps } = await read('changes');
  console.log(`as sent: ${steps.filter(({ prompt }) => prompt?.is === 'as-sent').length} of ${steps.length}`);
  await desk.close();
} finally {
  await crew.stop();
}
