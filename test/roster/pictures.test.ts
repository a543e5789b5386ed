/** Pictures of results, on their way to a backend that takes them and to one that does not. */
import { afterEach, expect, test } from 'vitest';
import type { ChatMessage, Picture } from '../../roster/conversation.ts';
import { firstDialect } from '../../roster/dialect.ts';
import { parseRoster } from '../../roster/load.ts';
import { requestBody } from '../../roster/request-body.ts';
import { textTranscript } from '../../roster/text-tools.ts';
import { estimatePrompt } from '../../roster/tokens.ts';
import { nativeTranscript } from '../../roster/transcript.ts';
import { worstCaseUsd } from '../../roster/worst-case-cost.ts';
import {
  delta,
  failureOf,
  never,
  oneBackend,
  type Received,
  type Reply,
  replyOf,
  rig,
  scriptedServer,
  usageChunk,
} from './rig.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
async function open(entry: string, script: (nth: number, request: Received) => Reply) {
  const server = await scriptedServer(script);
  const made = rig(oneBackend(server.url, entry));
  stops.push(
    () => server.stop(),
    () => made.backends.stop(),
  );
  return { ...made, url: server.url, received: server.received };
}
const says = (text: string): Reply => ({ chunks: [delta({ content: text }), delta({}, 'stop'), usageChunk(10, 5)] });
const refuses = (message: string, more: object = {}, status = 400): Reply => ({ status, json: { error: { message, ...more } } });

const data = `data:image/png;base64,${'A'.repeat(4_000)}`;
const picture = (n: number, more: Partial<Picture> = {}): Picture => ({
  ...{ ref: `k3xq.1/s${n}-0/made-0`, type: 'image/png', width: 1280, height: 720 },
  ...more,
});
const call = (id: string) => ({ id, tool: 'look_at', args: { picture: 'a.png' } });
const shown = (...images: Picture[]): ChatMessage[] => [
  { role: 'user', text: 'Look at a.png.' },
  { role: 'assistant', text: '', calls: [call('1'), call('2')] },
  { role: 'tool', call: '1', text: 'a.png', images },
  { role: 'tool', call: '2', text: 'nothing' },
];
const reader = { backend: 'a', model: 'm', thoughts: 'back' as const, pictures: 'parts' as const };
const tools = [{ name: 'look_at', description: 'Shows a picture.', parameters: { type: 'object', properties: {} } }];
const withPicture = { messages: shown(picture(1, { data })), tools };
const hasPart = ({ body }: Received): boolean => JSON.stringify(body.messages).includes('"image_url"');

test('a picture follows in the user’s words after all results, and a correction follows it', () => {
  const sent = nativeTranscript([...shown(picture(1, { data })), { role: 'user', text: 'Hurry.' }], reader);
  expect(sent.map(({ role }) => role)).toEqual(['user', 'assistant', 'tool', 'tool', 'user']);
  expect(sent[2]).toMatchObject({ content: 'a.png' });
  expect(sent[4]!.content).toEqual([
    { type: 'text', text: 'Shown by look_at:' },
    { type: 'text', text: 'Picture k3xq.1/s1-0/made-0:' },
    { type: 'image_url', image_url: { url: data } },
    { type: 'text', text: 'Hurry.' },
  ]);
});

test('a picture that is not sent is described in words, with the reason', () => {
  const images = [picture(1, { unseen: 'only the last 3 are sent' }), picture(2)];
  const told = (pictures: 'parts' | 'words', data?: string) =>
    nativeTranscript(shown(...images, ...(data ? [picture(3, { data })] : [])), { ...reader, pictures });
  expect(told('parts')[2]!.content).toBe(
    'a.png\n[Picture k3xq.1/s1-0/made-0, image/png, 1280 × 720 pixels. It is not shown to you: only the last 3 are sent.]' +
      '\n[Picture k3xq.1/s2-0/made-0, image/png, 1280 × 720 pixels. It is not shown to you: this model takes no pictures.]',
  );
  expect(JSON.stringify(told('words', data))).not.toContain('base64');
  expect(told('words', data)[2]!.content).toContain('k3xq.1/s3-0/made-0');
});

const asked: ChatMessage[] = [{ role: 'user', text: 'Is it blue?', images: [picture(1, { data })] }];

test('the user’s words may have a picture, too: it counts in the estimate and is described where it is not sent', () => {
  expect(nativeTranscript(asked, reader)[0]!.content).toEqual([
    { type: 'text', text: 'Is it blue?' },
    { type: 'text', text: 'Picture k3xq.1/s1-0/made-0:' },
    { type: 'image_url', image_url: { url: data } },
  ]);
  expect(nativeTranscript(asked, { ...reader, pictures: 'words' })[0]!.content).toContain('It is not shown to you');
  expect(estimatePrompt({ messages: asked })).toBeGreaterThan(1_000);
});

test('a request that needs its pictures is never sent without them, and a backend that takes none is learnt at once', async () => {
  const { backends, received } = await open('vision: true', () => refuses('This model does not support image input.'));
  const request = { messages: asked, needsPictures: true as const };
  expect(await failureOf(backends.call('main', request, never))).toMatchObject({ code: 'bad-request' });
  expect(received.map(hasPart)).toEqual([true]);
  expect(backends.menu()[0]!.vision).toBe(false);
  expect(await failureOf(backends.call('main', request, never))).toMatchObject({
    message: expect.stringContaining('it takes no pictures'),
  });
  expect(received).toHaveLength(1);
});

test('a backend that refuses a needed picture without saying why keeps its vision', async () => {
  const { backends, received } = await open('vision: true', () => refuses('Bad request'));
  const request = { messages: asked, needsPictures: true as const };
  expect(await failureOf(backends.call('main', request, never))).toMatchObject({ code: 'bad-request' });
  expect(received).toHaveLength(1);
  expect(backends.menu()[0]!.vision).toBe(true);
});

test('with tools in text a picture follows the words of its result', () => {
  const sent = textTranscript(withPicture, 'parts');
  expect(sent.at(-1)).toEqual({
    role: 'user',
    content: [
      { type: 'text', text: 'Result of look_at:\na.png' },
      { type: 'text', text: 'Picture k3xq.1/s1-0/made-0:' },
      { type: 'image_url', image_url: { url: data } },
      { type: 'text', text: 'Result of look_at:\nnothing' },
    ],
  });
});

test('a backend without vision gets no picture, even if one was prepared', async () => {
  const { backends, received } = await open('', () => says('I cannot see.'));
  await replyOf(backends.call('main', withPicture, never));
  expect(hasPart(received[0]!)).toBe(false);
  expect(JSON.stringify(received[0]!.body.messages)).toContain('this model takes no pictures');
});

test.each([
  [
    'OpenAI',
    refuses('Invalid content type. image_url is only supported by certain models.', { param: 'messages.[4].content.[2].type' }),
  ],
  ['DeepSeek', refuses('Failed to deserialize: messages[4]: unknown variant `image_url`, expected `text`')],
  [
    'vLLM',
    refuses('At most 0 image(s) may be provided in one prompt: this model is not multimodal and does not support images.'),
  ],
  ['llama.cpp', refuses('image input is not supported - hint: you may need to provide the mmproj', {}, 500)],
  ['one that wants texts', refuses('messages.4.content: Input should be a valid string', { param: 'messages.4.content' })],
])('a backend that refuses pictures (%s) gets words, and is known not to see from then on', async (_server, refusal) => {
  const { backends, received } = await open('vision: true', (_nth, request) => (hasPart(request) ? refusal : says('ok')));
  expect(backends.menu()[0]).toMatchObject({ vision: true });
  const { reply } = await replyOf(backends.call('main', withPicture, never));
  expect(reply.text).toBe('ok');
  expect(received.map(hasPart)).toEqual([true, false]);
  expect(received[1]!.body.tools).toBeDefined();
  expect(backends.menu()[0]).toMatchObject({ vision: false, learnt: [{ what: 'pictures are described in words' }] });
  await replyOf(backends.call('main', withPicture, never));
  expect(received.map(hasPart)).toEqual([true, false, false]);
});

test.each([
  'Invalid image: could not decode it',
  'Unsupported image format: only png and jpeg are supported',
  'messages.4.content.2.image.source.base64: image exceeds the maximum size of 5 MB',
])('one picture that is refused (%s) is told in words, and the next one is sent', async (words) => {
  const { backends, received } = await open('vision: true', (nth) => (nth === 0 ? refuses(words) : says('ok')));
  for (let i = 0; i < 2; i++) await replyOf(backends.call('main', withPicture, never));
  expect(received.map(hasPart)).toEqual([true, false, true]);
  expect(backends.menu()[0]).toMatchObject({ vision: true });
});

test('a refusal that is not about pictures is not blamed on them', async () => {
  const { backends } = await open('vision: true', () => refuses('This model does not exist.', { param: 'model' }));
  expect(await failureOf(backends.call('main', withPicture, never))).toMatchObject({ code: 'bad-request' });
  expect(backends.menu()[0]).toMatchObject({ vision: true });
});

test('the worst case of a picture is what the roster says, and not its length', () => {
  const priced = (more: string) =>
    parseRoster(
      `backends: { a: { base_url: "http://127.0.0.1/v1", model: m, opt_in: true, vision: true, cost: { input: 1, output: 0 }${more} } }`,
      '/roster.yaml',
    ).backends.a!;
  const worst = (more: string, pictures: string) => {
    const backend = priced(more);
    const body = requestBody(
      { messages: shown(picture(1, { data: pictures })), tools },
      { backend: 'a', model: 'm', dialect: firstDialect(backend), maxOutput: 1 },
    );
    return worstCaseUsd(body, backend)! * 1e6;
  };
  const long = `data:image/png;base64,${'A'.repeat(400_000)}`;
  expect(worst('', data)).toBe(worst('', long));
  expect(worst('', data)).toBeGreaterThan(50_000);
  expect(worst(', pictures: { tokens: 1600 }', long)).toBeLessThan(5_000);
  expect(worst(', pictures: { tokens: 1600 }', long)).toBeGreaterThan(1_600);
});

test('an estimate counts the pictures that are sent', () => {
  const [seen, unseen] = [shown(picture(1, { data })), shown(picture(1))].map((messages) => estimatePrompt({ messages }));
  expect(seen! - unseen!).toBe(100 + Math.ceil((1280 * 720) / 750));
});

const two = (entry: string) => `backends:
  cheap: { base_url: "http://127.0.0.1/v1", model: m, tier: local }
  sees: { base_url: "http://127.0.0.1/v1", model: m, opt_in: true, cost: { input: 1, output: 1 }, ${entry} }`;

test('a kind that prefers vision takes a backend with it, although another one is cheaper', () => {
  const { backends } = rig(two('vision: true'));
  expect(backends.route({ needs: [] }).backend).toBe('cheap');
  const route = backends.route({ needs: [], prefers: ['vision'] });
  expect(route).toMatchObject({ backend: 'sees', losers: [{ backend: 'cheap', why: 'it lacks vision, which is preferred' }] });
  expect(route.why).toContain('has vision');
  expect(backends.route({ needs: ['vision'] }).backend).toBe('sees');
});

test('where no backend has what is preferred, the cheapest takes the work, and the reason says so', () => {
  const { backends } = rig(two('vision: false'));
  expect(backends.route({ needs: [], prefers: ['vision'] })).toMatchObject({
    backend: 'cheap',
    why: expect.stringContaining('no backend with vision can take it'),
  });
  expect(backends.route({ needs: ['vision'] }).backend).toBeNull();
});
