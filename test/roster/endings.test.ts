/** How replies end, what their models thought, and calls that are printed as text; over HTTP. */
import { afterEach, describe, expect, test } from 'vitest';
import { printedCalls } from '../../roster/printed-calls.ts';
import { hasStrayCall } from '../../roster/stray-call.ts';
import { splitThoughts, ThoughtFilter } from '../../roster/thoughts.ts';
import { delta, failureOf, never, oneBackend, type Reply, replyOf, rig, scriptedServer, user } from './rig.ts';

const stops: (() => Promise<unknown>)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});
const properties = { path: { type: 'string' }, line: { type: 'integer' } };
const tools = [{ name: 'read_file', description: 'Reads a file.', parameters: { type: 'object', properties } }];

/** Plays one reply after the other; the last one again and again. */
async function play(replies: readonly Reply[], more = '') {
  const server = await scriptedServer((nth) => replies[Math.min(nth, replies.length - 1)]!);
  const { backends } = rig(`${oneBackend(server.url, more)}\nlimits: { retries: 0 }`);
  stops.push(
    () => server.stop(),
    () => backends.stop(),
  );
  return { server, call: (request: object = {}) => backends.call('main', { ...user('x'), tools, ...request }, never) };
}
const say = (text: string, finish: string | null = 'stop'): Reply => ({ chunks: [delta({ content: text }), delta({}, finish)] });

describe('a text that was cut off', () => {
  test('is gone on with once, and is whole then', async () => {
    const { server, call } = await play([say('The risks are 1, ', 'length'), say('2 and 3.')]);
    const { said, reply } = await replyOf(call());
    expect(reply).toMatchObject({ text: 'The risks are 1, 2 and 3.', finish: 'stop' });
    expect(reply.cut).toBeUndefined();
    expect(said.join('')).toBe('The risks are 1, 2 and 3.');
    expect(server.received[1]?.body.messages.slice(-2)).toMatchObject([
      { role: 'assistant', content: 'The risks are 1, ' },
      { role: 'user', content: expect.stringContaining('cut off') },
    ]);
    expect(server.received).toHaveLength(2);
  });

  test.each(['length', 'max_tokens', 'MAX_TOKENS', 'model_length', 'insufficient_system_resource', 'unheard_of'])(
    'stays marked if its rest is cut off too: %s',
    async (reason) => {
      const { server, call } = await play([say('one, ', reason), say('two', reason)]);
      const { reply } = await replyOf(call());
      expect(reply).toMatchObject({ text: 'one, two', cut: reason });
      expect(server.received).toHaveLength(2);
    },
  );

  test.each<[string, Reply]>([
    ['fails', { status: 500, json: { error: { message: 'no' } } }],
    ['is empty', say('')],
    ['is stopped by a filter', say('bad', 'content_filter')],
  ])('stays marked, and is not lost, if the request for its rest %s', async (_, second) => {
    const { call } = await play([say('half', 'length'), second]);
    expect((await replyOf(call())).reply).toMatchObject({ text: 'half', cut: 'length' });
  });

  test('is not gone on with where the request limits it', async () => {
    const { server, call } = await play([say('half', 'length')]);
    expect((await replyOf(call({ maxOutputTokens: 5 }))).reply).toMatchObject({ text: 'half', cut: 'length', finish: 'length' });
    expect(server.received).toHaveLength(1);
  });

  test('is marked where tools are in text', async () => {
    const { call } = await play([say('{"answer": "half of', 'length')], 'tools: false');
    expect((await replyOf(call())).reply).toMatchObject({ text: 'half of', cut: 'length' });
  });
});

test.each(['stop', 'STOP', 'end_turn', 'eos', 'stop_sequence'])('the ending %s is a whole reply', async (reason) => {
  const { call } = await play([say('Four.', reason)]);
  const { reply } = await replyOf(call());
  expect(reply).toMatchObject({ text: 'Four.', finish: 'stop' });
  expect(reply.cut).toBeUndefined();
});

test.each(['content_filter', 'SAFETY', 'RECITATION', 'refusal'])('the ending %s is a refusal', async (reason) => {
  const { call } = await play([say('Four', reason)]);
  expect((await failureOf(call())).code).toBe('refused');
});

test('a call that the end of a stream cuts off stays text, which no tool accepts', async () => {
  const cut = { index: 0, id: 'c1', type: 'function', function: { name: 'read_file', arguments: '{"path":"a' } };
  const { call } = await play([{ chunks: [delta({ tool_calls: [cut] })] }]);
  expect((await replyOf(call())).reply.calls).toEqual([{ id: 'c1', tool: 'read_file', args: '{"path":"a' }]);
});

const thoughtful: [string, string, string][] = [
  ['<think>hm</think>\n\nFour.', 'Four.', 'hm'],
  ['hm, <b>\n</think>\n\nFour.', 'Four.', 'hm, <b>'],
  ['hm.</think>Four.', 'Four.', 'hm.'],
  ['<THINKING>a <thinking>b</thinking> c</THINKING> Four.', 'Four.', 'a <thinking>b</thinking> c'],
  ['<think>a</think><think>b</think>Four.', 'Four.', 'a\n\nb'],
  ['Two and two.\n<think>hm</think>\nFour.', 'Two and two.\n\nFour.', 'hm'],
  ['◁think▷hm◁/think▷Four.', 'Four.', 'hm'],
  ['[THINK]hm[/THINK]Four.', 'Four.', 'hm'],
  ['<|channel>thought\nhm<channel|>Four.', 'Four.', 'hm'],
  ['hm<channel|>Four.', 'Four.', 'hm'],
  ['analysisHm, two and two.assistantfinalFour.', 'Four.', 'Hm, two and two.'],
  ['Okay. <think>I could {"tool": "x"} but no.</think>\nFour.', 'Okay. \nFour.', 'I could {"tool": "x"} but no.'],
  ['Okay. <think> I could {"tool": "x"} but no. </think> Four.', 'Okay.  Four.', 'I could {"tool": "x"} but no.'],
  ['<scratchpad>\nhm\n</scratchpad>\nFour.', 'Four.', 'hm'],
  ['<reflection>hm</reflection>Four.', 'Four.', 'hm'],
  ['<think>hm</think>\n<answer>\nFour.\n</answer>', 'Four.', 'hm'],
  ['<|channel|>analysis<|message|>hm<|end|><|start|>assistant<|channel|>final<|message|>Four.<|return|>', 'Four.', 'hm'],
];
const thoughtless = [
  'Close it with `</think>`.',
  'Write "</think>" at the end.',
  '```xml\n<think>a</think>\n```\nThat is it.',
  'a < b and [b] <i>c</i>',
  'Thoughts stand between <think> and </think> in a reply.',
  '{"answer": "put </think>\\n behind"}',
  '<reflection>Nothing stands behind it.</reflection>',
  'First this.\n<scratchpad>a</scratchpad>\nThen that.',
  '<answer>Four.</answer>',
];
describe('thoughts in a text', () => {
  test.each(thoughtful)('%j', async (raw, text, thoughts) => {
    expect(splitThoughts(raw)).toEqual({ text, thoughts });
    const { call } = await play([say(raw)]);
    expect((await replyOf(call())).reply).toMatchObject({ text, thoughts });
  });
  test.each(thoughtless)('are none where they are quoted: %j', (raw) => {
    expect(splitThoughts(raw)).toEqual({ text: raw, thoughts: '' });
  });
  test('at its beginning are not streamed, however they are torn', () => {
    for (let size = 1; size < 12; size++) {
      const filter = new ThoughtFilter();
      const pieces = '  <think>hm</think>\n Four < 5.'.match(new RegExp(`[^]{1,${size}}`, 'g'))!;
      expect(pieces.map((piece) => filter.push(piece)).join('') + filter.end()).toBe('Four < 5.');
    }
  });
  test.each(['<think>hm', '<think>hm</think>', 'hm\n</think>'])('that are all of it are no reply: %j', async (raw) => {
    const { call } = await play([say(raw)]);
    expect(await failureOf(call())).toMatchObject({ code: 'bad-reply', message: expect.stringContaining('thought') });
  });
  test.each([
    ['', '{"tool":"read_file","args":{"path":"a"}}\n</think>\nFour.'],
    ['tools: false', '{"tool":"read_file","args":{"path":"a"}}\n</think>\nFour.'],
    ['tools: false', '<think>Or {"tool":"read_file","args":{"path":"a"}}?</think> {"answer":"Four."}'],
    ['tools: false', 'I see. <think>Or {"tool":"read_file","args":{"path":"a"}}?</think>\n{"answer":"Four."}'],
  ])('run no call (%s): %s', async (mode, raw) => {
    const { call } = await play([say(raw)], mode);
    expect((await replyOf(call())).reply).toMatchObject({ text: 'Four.', calls: [] });
  });
});

const json = '{"name": "read_file", "arguments": {"path": "a", "line": 2}}';
const tags = '<function=read_file>\n<parameter=path>\na\n</parameter>\n<parameter=line>\n2\n</parameter>\n</function>';
const printed = [
  json,
  `[${json}]`,
  `\`\`\`json\n${json}\n\`\`\``,
  `<tool_call>\n${json}\n</tool_call>`,
  `<tool_call>${json}`,
  `{${json}}`,
  `<tool_call>\n${tags}\n</tool_call>`,
  tags,
  '<function=read_file>{"path": "a", "line": 2}</function>',
  '<tool_call>read_file\n<arg_key>path</arg_key>\n<arg_value>a</arg_value>\n<arg_key>line</arg_key>\n<arg_value>2</arg_value>\n</tool_call>',
  `[TOOL_CALLS][${json}]`,
  '[TOOL_CALLS]read_file[ARGS]{"path": "a", "line": 2}',
  '[TOOL_CALLS]read_file{"path": "a", "line": 2}',
  `<tool_call>${json}</tool_call><|im_end|>`,
  `${tags}\n</tool_call>`,
  '<invoke name="read_file"><parameter name="path">a</parameter><parameter name="line">2</parameter></invoke>',
  '<function_calls>\n<invoke name="read_file">\n<parameter name="path">a</parameter>\n<parameter name="line">2</parameter>\n</invoke>\n</function_calls>',
  '<minimax:tool_call><invoke name="read_file"><parameter name="path">a</parameter><parameter name="line">2</parameter></invoke></minimax:tool_call>',
  '<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"path": "a", "line": 2}<|tool_call_end|><|tool_calls_section_end|>',
  '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>function<｜tool▁sep｜>read_file\n```json\n{"path": "a", "line": 2}\n```<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
  '<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{"path": "a", "line": 2}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
  '<|start|>assistant<|channel|>commentary to=functions.read_file <|constrain|>json<|message|>{"path": "a", "line": 2}<|call|>',
  `<|python_tag|>${json.replace('arguments', 'parameters')}`,
  `<|tool_call|>[${json}]<|/tool_call|>`,
  `[TOOL_REQUEST]${json}[END_TOOL_REQUEST]`,
  `<TOOLCALL>[${json}]</TOOLCALL>`,
  '<|START_ACTION|>[{"tool_call_id": "0", "tool_name": "read_file", "parameters": {"path": "a", "line": 2}}]<|END_ACTION|>',
  `<|action_start|><|plugin|>\n${json}<|action_end|>`,
  `<seed:tool_call>${tags}</seed:tool_call>`,
  '<｜DSML｜function_calls>\n<｜DSML｜invoke name="read_file">\n<｜DSML｜parameter name="path" string="true">a</｜DSML｜parameter>\n<｜DSML｜parameter name="line" string="false">2</｜DSML｜parameter>\n</｜DSML｜invoke>\n</｜DSML｜function_calls>',
  '[read_file(path="a", line=2)]',
  "read_file(path='a', line=2)",
  "```tool_code\nread_file(path='''a''', line=2,)\n```",
  '<|python_tag|>read_file(path="a", line=2)',
  '{"tool": "read_file", "args": {"path": "a", "line": 2}}',
  '{"type": "function", "function": {"name": "read_file", "arguments": "{\\"path\\": \\"a\\", \\"line\\": 2}"}}',
];
describe('a call that is printed as text', () => {
  test.each(printed)('is a call if it is the whole reply: %j', async (raw) => {
    const { call } = await play([say(`<think>so</think>\n${raw}`)]);
    const { reply } = await replyOf(call());
    expect(reply).toMatchObject({ text: '', finish: 'tools', calls: [{ tool: 'read_file', args: { path: 'a', line: 2 } }] });
  });
  test('may be several', () => {
    expect(printedCalls(`<tool_call>${json}</tool_call>\n<tool_call>${json}</tool_call>`, tools)).toHaveLength(2);
    expect(printedCalls(`${json}\n${json}`, tools)).toHaveLength(2);
    expect(printedCalls('[TOOL_CALLS]read_file{"path": "a"}[TOOL_CALLS]read_file{"path": "b"}', tools)).toHaveLength(2);
  });
  test('keeps the text of an argument as it is', () => {
    const raw = '<tool_call><function=read_file><parameter=path>123</parameter></function></tool_call>';
    expect(printedCalls(raw, tools)).toEqual([{ tool: 'read_file', args: { path: '123' } }]);
  });
  test.each([
    '{"name": "rm_rf", "arguments": {}}',
    '{"name": "read_file"}',
    '<tool_call></tool_call>',
    '[1]',
    '[rm_rf(path="a")]',
    `Write \`<tool_call>${json}</tool_call>\``,
    `The file has an example:\n\n\`\`\`json\n${json}\n\`\`\`\n\nIt shows how a call looks.`,
    'It has read_file, list_files and [more].',
    '{"tools": [{"name": "read_file", "size": 3}]}',
  ])('is text if it is quoted or unknown: %j', async (raw) => {
    const { server, call } = await play([say(raw)]);
    expect((await replyOf(call())).reply).toMatchObject({ text: raw, calls: [] });
    expect(server.received).toHaveLength(1);
  });
  test('is text where no tool may be called', async () => {
    const { call } = await play([say(json)]);
    expect((await replyOf(call({ toolChoice: 'none' }))).reply).toMatchObject({ text: json, calls: [] });
  });
});

test.each(['<think>a</think>\n', 'x </think> y ', '`</think>`', '<think>', '```\n</think>\n', ' '])(
  'a text of %j without end is read in no time',
  (piece) => {
    const raw = piece.repeat(Math.floor(400_000 / piece.length));
    expect(splitThoughts(raw).text.length).toBeLessThanOrEqual(raw.length);
    const filter = new ThoughtFilter();
    for (let at = 0; at < raw.length; at += 8) filter.push(raw.slice(at, at + 8));
  },
);

const stray = [
  `The file says: <tool_call>${json}</tool_call>`,
  `<tool_call>${json}</tool_call>\nThat is what I would do.`,
  `I will read it now.\n<tool_call>${json}</tool_call>`,
  `Sure! Let me look.\n\`\`\`json\n${json}\n\`\`\``,
  `Let me look.\n${json}`,
  '<invoke name="read_file"><parameter name="path">a</parameter></invoke> is how you call it.',
  '<invoke name="read_file"></invoke> or <invoke name="read_file"></invoke>',
  'I look.\n<function=read_file>\n<parameter=path>\na\n</parameter>\n</function>\n</tool_call>',
  'I look.[TOOL_CALLS]read_file{"path": "a"}',
  'I look.<|tool_calls_section_begin|><|tool_call_begin|>functions.read_file:0<|tool_call_argument_begin|>{"pa',
  'I look.<｜tool▁calls▁begin｜><｜tool▁call▁begin｜>read_file<｜tool▁sep｜>{"path": "a"}<｜tool▁call▁end｜><｜tool▁calls▁end｜>',
  'I look.\n\n<｜DSML｜function_calls>\n<｜DSML｜invoke name="read_file">',
  '{"name": "read_file", "arguments": {"path": "a',
  '<tool_call>\n{"name": "read_file", "arguments": {"path": "a',
  '```tool_code\nread_file("a")\n```',
  'read_file(path=secret)',
];
describe('a printed call that is cut off, or has text beside it', () => {
  test.each(stray)('is no answer: the model is asked what it means: %j', async (raw) => {
    const { server, call } = await play([say(raw), say(json)]);
    const { reply } = await replyOf(call());
    expect(reply).toMatchObject({ text: '', finish: 'tools', calls: [{ tool: 'read_file', args: { path: 'a', line: 2 } }] });
    expect(server.received[1]?.body.messages.slice(-2)).toMatchObject([
      { role: 'assistant', content: raw },
      { role: 'user', content: expect.stringContaining('Nothing has run') },
    ]);
  });
  test.each(stray)('is never run, and marked if it comes again: %j', async (raw) => {
    const { server, call } = await play([say(raw, 'length')]);
    expect((await replyOf(call())).reply).toMatchObject({ text: raw, calls: [], cut: 'printed call' });
    expect(server.received).toHaveLength(2);
  });
  test('is replaced by the answer that the model gives then, and both requests are counted', async () => {
    const { call } = await play([say(`I look.\n${json}`), say('It is blue.')]);
    const { reply } = await replyOf(call());
    expect(reply).toMatchObject({ text: 'It is blue.', calls: [] });
    expect(reply.cut).toBeUndefined();
    expect(reply.usage.outputTokens).toBeGreaterThan(10);
  });
  test.each<[string, Reply]>([
    ['fails', { status: 500, json: { error: { message: 'no' } } }],
    ['is empty', say('')],
    ['is stopped by a filter', say('bad', 'content_filter')],
  ])('stays marked if the second request %s', async (_, second) => {
    const { call } = await play([say(`I look.\n${json}`), second]);
    expect((await replyOf(call())).reply).toMatchObject({ text: `I look.\n${json}`, cut: 'printed call' });
  });
  test('is asked about too where tools are told in words', async () => {
    const raw = 'I look.\n<｜DSML｜function_calls>\n<｜DSML｜invoke name="read_file">';
    const { call } = await play([say(raw), say('{"answer":"a"}')], 'tools: false');
    expect((await replyOf(call())).reply).toMatchObject({ text: 'a', calls: [] });
  });
});

test.each([
  '<tool_call>',
  '```json\n',
  '[TOOL_CALLS]',
  '{',
  '<invoke ',
  'read_file(',
  '<function=read_file>',
  '\n{"name": "read_file" ',
])(
  'a text of %j without end is looked through for calls in no time',
  (piece) => {
    const raw = piece.repeat(Math.floor(400_000 / piece.length));
    hasStrayCall(`read_file ${raw}`, tools);
    hasStrayCall(`${raw} read_file`, tools);
    printedCalls(raw, tools);
  },
  2_000,
);
