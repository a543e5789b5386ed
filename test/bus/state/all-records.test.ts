import { expect, test } from 'vitest';
import { TaskSpec } from '../../../bus/messages.ts';
import { allRecords } from '../../../bus/state/all-records.ts';
import { newRecord, type StoredRecord } from '../../../bus/state/state-record.ts';
import { createState, replaceState } from '../../../bus/state/state-store.ts';
import { testCrew } from '../../support/crew.ts';

test('a list that is made while all tasks are written misses none', async () => {
  const crew = await testCrew();
  try {
    const { bus } = await crew.join();
    const spec = TaskSpec.parse({ type: 'reasoning', instruction: 'x' });
    const created = Array.from({ length: 20 }, (_, n) =>
      createState(bus, newRecord(`abcd.${n}`, spec, 'me', new Date().toISOString())),
    );
    let held = (await Promise.all(created)) as StoredRecord[];
    let isOver = false;
    const writing = (async () => {
      while (!isOver) held = (await Promise.all(held.map((each) => replaceState(bus, each, each.record)))) as StoredRecord[];
    })();
    for (let n = 0; n < 30; n++) expect(await allRecords(bus, 'abcd.*')).toHaveLength(20);
    isOver = true;
    await writing;
  } finally {
    await crew.stop();
  }
});
