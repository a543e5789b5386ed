/** Pictures from a tool or a file to the request of a backend, with a real bus and a scripted model. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { z } from 'zod';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import { compact } from '../../../actors/sub-agent/compaction.ts';
import { choosePictures, Pictures } from '../../../actors/sub-agent/pictures.ts';
import { defineTool } from '../../../actors/tools/tool.ts';
import { pictureHead } from '../../../actors/tools/vision/format.ts';
import { Reader } from '../../../actors/tools/vision/reader.ts';
import { Artifacts } from '../../../bus/artifacts/artifacts.ts';
import type { TaskId } from '../../../bus/task-id.ts';
import type { Message, Picture } from '../../../machines/conversation.ts';
import { shippedRoster } from '../../../roster/find-roster.ts';
import { loadRoster, parseRoster } from '../../../roster/load.ts';
import type { Roster } from '../../../roster/schema.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import type { ModelCall } from '../../support/model-server.ts';
import { never } from '../../support/watching.ts';
import { contactForm, png } from '../tools/vision/pictures.ts';

let crew: TestCrew;
let joined: CrewSession;
beforeEach(async () => {
  crew = await testCrew();
  joined = await crew.join();
});
afterEach(() => crew.stop());

const shipped = await loadRoster(shippedRoster.file);
/** A roster with the shipped kinds, as a file of the operator is loaded. */
const withShipped = (yaml: string): Roster => ({ ...parseRoster(yaml, '/roster.yaml'), agents: shipped.agents });
/** A roster whose backend `sees` takes pictures; `main` is as cheap, and does not. */
const rosterOf = (pictures = '', context = '') =>
  withShipped(`backends:
  main: { base_url: "${crew.model.url}", model: blind, tier: local, good_at: [files], can_orchestrate: true, concurrency: 8 }
  sees: { base_url: "${crew.model.url}", model: seeing, tier: local, vision: true${pictures}${context}, concurrency: 8 }
limits: { retries: 0 }`);
const node = (roster = rosterOf(), more = {}) => crew.node(joined, { roster: { current: () => roster }, ...more });

interface Part {
  readonly type: string;
  readonly text?: string;
  readonly image_url?: { readonly url: string };
}
const partsOf = (call: ModelCall): Part[] =>
  call.messages.flatMap(({ content }) => (Array.isArray(content) ? (content as unknown as Part[]) : []));
const picturesOf = (call: ModelCall) =>
  Promise.all(
    partsOf(call)
      .flatMap(({ image_url }) => (image_url ? [image_url.url] : []))
      .map(async (url) => {
        const [, type, base64] = /^data:(.*);base64,(.*)$/.exec(url)!;
        const bytes = Buffer.from(base64!, 'base64');
        const { width, height, type: real } = await pictureHead('sent', bytes);
        expect(real).toBe(type);
        return { width, height, bytes };
      }),
  );
const wordsOf = (call: ModelCall): string => JSON.stringify(call.messages);

test('a task of the kind vision takes the backend with vision, and the picture of a file reaches its model as it is', async () => {
  await writeFile(join(crew.folder, 'form.png'), contactForm());
  await node();
  const id = await joined.crew.dispatch({ type: 'vision', instruction: 'What is the email in form.png?' });
  const first = await crew.model.next();
  expect(first.body.model).toBe('seeing');
  first.call('look_at', { picture: 'form.png' });
  const second = await crew.model.next();
  const [sent] = await picturesOf(second);
  expect(sent!.bytes.equals(contactForm())).toBe(true);
  expect(second.messages.map(({ role }) => role)).toEqual(['system', 'user', 'assistant', 'tool', 'user']);
  expect(partsOf(second)[1]).toEqual({ type: 'text', text: `Picture ${id}/s1-0/made-0:` });
  second.reply('It is ada@work.example.');
  const result = await joined.crew.result(id, never);
  expect(result).toMatchObject({ outcome: 'completed', output: 'It is ada@work.example.', sources: ['form.png'] });
  // The checkpoint has the picture by reference only.
  const record = JSON.stringify((await joined.crew.status(id)) ?? {});
  expect(record).not.toContain('base64');
});

test('a picture beyond the limits of the backend is scaled down to them', async () => {
  await writeFile(join(crew.folder, 'form.png'), contactForm());
  await node(rosterOf(', pictures: { side: 430 }'));
  const id = await joined.crew.dispatch({ type: 'vision', instruction: 'Look.' });
  (await crew.model.next()).call('look_at', { picture: 'form.png' });
  const second = await crew.model.next();
  expect(await picturesOf(second)).toMatchObject([{ width: 430, height: 360 }]);
  second.reply('Done.');
  await joined.crew.result(id, never);
});

test('where the context is small, a picture takes at most two fifths of it', async () => {
  await writeFile(join(crew.folder, 'large.png'), png(2_000, 1_500));
  await node(rosterOf('', ', context: 2500'));
  const id = await joined.crew.dispatch({ type: 'vision', instruction: 'Look.' });
  (await crew.model.next()).call('look_at', { picture: 'large.png' });
  const second = await crew.model.next();
  const [{ width, height } = { width: 0, height: 0 }] = await picturesOf(second);
  expect(width * height).toBeLessThanOrEqual((2_500 * 0.4 - 100) * 750);
  expect(width / height).toBeCloseTo(4 / 3, 1);
  second.reply('Done.');
  await joined.crew.result(id, never);
});

test('without a backend with vision the same task goes on with the text of the picture, and is told to say so', async () => {
  await writeFile(join(crew.folder, 'form.png'), contactForm());
  const blind = withShipped(
    `backends: { main: { base_url: "${crew.model.url}", model: blind, tier: local, can_orchestrate: true } }`,
  );
  await node(blind);
  const id = await joined.crew.dispatch({ type: 'vision', instruction: 'What is the email in form.png?' });
  (await crew.model.next()).call('look_at', { picture: 'form.png' });
  const second = await crew.model.next();
  expect(partsOf(second)).toEqual([]);
  expect(wordsOf(second)).toContain(
    'You cannot see form.png: no backend has looked at it for you (no backend can do it (needs vision): main: ',
  );
  expect(wordsOf(second)).toContain('ada@work.example');
  second.reply('By OCR: ada@work.example.');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', sources: ['form.png'] });
});

test('only the latest pictures are sent; older ones are told in words, and a picture that is shown again is sent once', async () => {
  for (const n of [1, 2, 3]) await writeFile(join(crew.folder, `${n}.png`), png(100 * n, 50));
  await node(rosterOf(', pictures: { most: 2 }'));
  const id = await joined.crew.dispatch({ type: 'vision', instruction: 'Look at all.' });
  for (const n of [1, 2, 3]) (await crew.model.next()).call('look_at', { picture: `${n}.png` });
  const fourth = await crew.model.next();
  expect((await picturesOf(fourth)).map(({ width }) => width)).toEqual([200, 300]);
  expect(wordsOf(fourth)).toContain(
    `[Picture ${id}/s1-0/made-0, image/png, 100 × 50 pixels. It is not shown to you: only the latest 2 pictures are sent.]`,
  );
  fourth.call('look_at', { picture: `${id}/s2-0/made-0` });
  const fifth = await crew.model.next();
  expect((await picturesOf(fifth)).map(({ width }) => width)).toEqual([300, 200]);
  expect(wordsOf(fifth)).toContain('it is shown further below');
  fifth.reply('Done.');
  await joined.crew.result(id, never);
});

test('another node that takes the task over sends the picture again', async () => {
  await writeFile(join(crew.folder, 'form.png'), contactForm());
  const first = await node();
  const id = await joined.crew.dispatch({ type: 'vision', instruction: 'Look.' });
  (await crew.model.next()).call('look_at', { picture: 'form.png' });
  const second = await crew.model.next();
  await first.drain();
  expect(await second.closed).toBe(true);
  const roster = rosterOf();
  await crew.node(await crew.join('other'), { roster: { current: () => roster } });
  const third = await crew.model.next();
  expect((await picturesOf(third))[0]!.bytes.equals(contactForm())).toBe(true);
  third.reply('A form.');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed', output: 'A form.' });
});

const camera = () =>
  defineKind({
    name: 'camera',
    tools: [
      defineTool({
        name: 'shoot',
        description: 'takes a picture',
        args: z.object({}),
        effects: 'none',
        run: async (_, { store }) => {
          const { ref } = await store!({ name: 'page.png', type: 'image/png', bytes: contactForm() });
          return { text: 'shot', images: [ref, 'k3xq.1/s1-0/made-7'] };
        },
      }),
    ],
    think: ({ messages }) => {
      const shot = messages.findLast(({ role }) => role === 'tool');
      if (shot?.role !== 'tool') return { text: '', calls: [{ tool: 'shoot', args: {} }] };
      return `The screenshot is ${shot.images?.[0]?.ref}. ${shot.text}`;
    },
  });

test('a sub-task that shot a picture hands it on by its ref to a task of the kind vision, which sees it', async () => {
  await node(rosterOf(), { kinds: [camera()] });
  const one = (key: string, type: string, instruction: string, after: string[]) => ({
    ...{ key, type, instruction, after, needs: [], backend: null },
  });
  const id = await joined.crew.dispatch({
    type: 'supervisor',
    instruction: 'What does the page show?',
    plan: {
      tasks: [one('shot', 'camera', 'Shoot.', []), one('seen', 'vision', 'Say what the screenshot shows.', ['shot'])],
      reduce: { by: 'concat' },
    },
  });
  const first = await crew.model.next();
  const [ref] = /[a-z0-9]+\.1\/s1-0\/made-0/.exec(wordsOf(first))!;
  expect(wordsOf(first)).toContain('[k3xq.1/s1-0/made-7 is not shown: ');
  first.call('look_at', { picture: `"${ref}"` });
  const second = await crew.model.next();
  expect((await picturesOf(second))[0]!.bytes.equals(contactForm())).toBe(true);
  second.reply('A contact form.');
  expect(await joined.crew.result(id, never)).toMatchObject({
    outcome: 'completed',
    output: expect.stringContaining('A contact form.'),
  });
});

test('a file that is no picture is an error for the model, which goes on', async () => {
  await writeFile(join(crew.folder, 'good.png'), contactForm());
  await writeFile(join(crew.folder, 'fake.png'), 'just text');
  await writeFile(join(crew.folder, 'bomb.png'), png(1, 1, { width: 60_000, height: 60_000 }));
  await node();
  const id = await joined.crew.dispatch({ type: 'vision', instruction: 'Look.' });
  (await crew.model.next()).end(
    // A result in between, so that the task does not ask for help after three failures in a row.
    ['fake.png', 'bomb.png', 'good.png', 'none.png', '../x.png', 'good.png', 'k3xq.9/s1-0/made-0'].map((picture) => ({
      tool: 'look_at',
      args: { picture },
    })),
  );
  const second = await crew.model.next();
  for (const words of [
    'fake.png is neither a picture nor a PDF',
    'bomb.png would have 60000 × 60000 pixels',
    'there is no file none.png; the workspace has',
    'outside the workspace',
    'k3xq.9/s1-0/made-0 is no artifact of',
  ])
    expect(wordsOf(second)).toContain(words);
  second.reply('Nothing to see.');
  await joined.crew.result(id, never);
});

test('a picture that cannot be made small enough, because the packages cannot be had, is told in words', async () => {
  const artifacts = new Artifacts(joined.bus);
  const store = (task: TaskId, bytes: Uint8Array) =>
    artifacts.store({ task, call: 's1-0', n: 'made-0' }, { name: 'a.png', type: 'image/png', bytes });
  const [large, small] = [await store('k3xq.1', png(400, 300)), await store('k3xq.2', png(40, 30))];
  const reader = new Reader({
    ...{ folders: { cache: join(crew.folder, 'no-cache') }, log: pino({ level: 'silent' }), onProgress: () => {} },
    env: { PATH: '' },
  });
  const messages: Message[] = [large, small].map(({ ref }, n) => ({
    ...{ role: 'tool', call: `s${n}-0`, text: 'shown' },
    images: [{ ref, type: 'image/png', ...(n === 0 ? { width: 400, height: 300 } : { width: 40, height: 30 }) }],
  }));
  const limits = { ...rosterOf().backends.sees!.pictures, side: 200 };
  const told = await new Pictures(artifacts, reader).into(messages, choosePictures(messages, limits, null), never);
  const images = told.flatMap((message) => (message.role === 'tool' ? (message.images ?? []) : []));
  expect(images[0]).toMatchObject({ ref: large.ref, unseen: expect.stringMatching(/^it cannot be sent \(.*npm/) });
  expect(images[1]).toMatchObject({ ref: small.ref, data: expect.stringMatching(/^data:image\/png;base64,iVBOR/) });
});

const picture = (n: number): Picture => ({ ref: `k3xq.1/s${n}-0/made-0`, type: 'image/png', width: 1280, height: 720 });
const conversation = (count: number, text = 'shown'): Message[] => [
  { role: 'user', text: 'Look at all.' },
  ...Array.from({ length: count }, (_, n): Message[] => [
    { role: 'assistant', text: '', calls: [{ id: `s${n}-0`, tool: 'look_at', args: {}, effects: 'none' }] },
    { role: 'tool', call: `s${n}-0`, text, images: [picture(n)] },
  ]).flat(),
];

test('in a context of 8192 tokens two screenshots are sent, and the conversation has room beside them', () => {
  const limits = rosterOf().backends.sees!.pictures;
  const { sent, tokens } = choosePictures(conversation(9), limits, 8_192);
  expect([...sent].map(({ ref }) => ref)).toEqual([picture(8).ref, picture(7).ref]);
  expect(tokens).toBeLessThan(8_192 * 0.4);
  expect(choosePictures(conversation(9), limits, null).sent.size).toBe(3);
  expect(choosePictures(conversation(9), undefined, 8_192)).toMatchObject({ limits: null, tokens: 0 });
});

test('a history that is shortened keeps its pictures by name', () => {
  const long = conversation(20, 'word '.repeat(400));
  const clipped = compact(long, 6_000);
  expect(clipped.done).toContain('clipped');
  expect(clipped.messages.flatMap((message) => (message.role === 'tool' ? (message.images ?? []) : []))).toHaveLength(20);
  const left = compact(long, 1_500);
  expect(left.done).toContain('left out');
  expect(left.messages[1]!.text).toContain(`Pictures among them: ${picture(10).ref}, `);
});
