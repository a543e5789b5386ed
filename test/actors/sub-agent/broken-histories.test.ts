/** Tasks whose history a strict server would refuse as it is, over real HTTP: what their next request looks like. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Kind } from '../../../actors/kinds/kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { HeldTool } from '../../support/tools.ts';
import { finalReceipt, never } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
const limits = { steps: 10, failures: 3, repeats: 3, costUsd: null };
const kinds: Kind[] = [{ name: 'thinker', prompt: 'You think.', tools: [], needs: [], limits }];
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

/** Resolves when the task has reported a token with the text. */
async function heard(id: string, text: string): Promise<void> {
  let all = '';
  for await (const event of joined.crew.watch(id, never)) {
    if (event.kind === 'live' && event.live.type === 'token') all += event.live.text;
    if (all.includes(text)) return;
  }
}

test('after a pause in the middle of a reply, the history ends with a word of the user', async () => {
  await crew.node(joined, { kinds });
  const id = await joined.crew.dispatch({ type: 'thinker', instruction: 'Think', backend: 'main' });
  const first = await crew.model.next();
  const half = heard(id, 'Half an');
  first.say('Half an');
  await half;
  await finalReceipt(joined.crew, id, await joined.crew.steer(id, { type: 'pause' }));
  await joined.crew.steer(id, { type: 'resume' });
  const second = await crew.model.next();
  expect(second.messages.slice(-2)).toEqual([
    { role: 'assistant', content: 'Half an [interrupted here by the operator]' },
    { role: 'user', content: 'Go on.' },
  ]);
  second.reply('Half an hour.');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'Half an hour.' });
});

test('what a backend said before it broke off and what another one said in its place are two replies', async () => {
  await crew.node(joined, { kinds });
  const id = await joined.crew.dispatch({ type: 'thinker', instruction: 'Think' });
  const first = await crew.model.next();
  const one = heard(id, 'ONE');
  first.say('ONE');
  await one;
  first.cut();
  const second = await crew.model.next();
  const other = heard(id, 'OTHER');
  second.say('OTHER');
  await other;
  await joined.crew.steer(id, { type: 'steer', text: 'shorter' });
  const third = await crew.model.next();
  expect(third.messages.slice(-4)).toEqual([
    { role: 'assistant', content: 'ONE [broken off here]' },
    { role: 'user', content: 'Go on.' },
    { role: 'assistant', content: 'OTHER [interrupted here by the operator]' },
    { role: 'user', content: 'shorter' },
  ]);
  third.reply('done');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'done' });
});

test('thoughts go back to their backend with the call, also from another node', async () => {
  const held = new HeldTool('look', 'none');
  const looker: Kind = { ...kinds[0]!, name: 'looker', tools: [held.tool] };
  const node = await crew.node(joined, { kinds: [looker] });
  const id = await joined.crew.dispatch({ type: 'looker', instruction: 'Look' });
  (await crew.model.next()).think('I have to look.').call('look', {});
  await held.next();
  await node.stop();
  await crew.node(joined, { kinds: [looker] });
  (await held.next()).returns('It is blue.');
  const second = await crew.model.next();
  expect(second.messages.slice(-2)).toMatchObject([
    { role: 'assistant', reasoning_content: 'I have to look.', tool_calls: [{ function: { name: 'look' } }] },
    { role: 'tool', content: 'It is blue.' },
  ]);
  second.reply('Blue.');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'Blue.' });
});
