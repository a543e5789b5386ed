/** Real tasks of a real crew, with their spans and figures decoded by a collector. */
import { headers } from '@nats-io/nats-core';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { defineKind } from '../../../actors/kinds/define-kind.ts';
import type { CrewSession } from '../../../actors/node/join.ts';
import type { CoxNode } from '../../../actors/node/node.ts';
import { spanOf, traceIdOf } from '../../../bus/trace-context.ts';
import { type TestCrew, testCrew } from '../../support/crew.ts';
import { OtlpReceiver, type ReceivedSpan } from '../../support/otlp-receiver.ts';
import { HeldTool } from '../../support/tools.ts';
import { finalReceipt, never, statusWhere } from '../../support/watching.ts';

let crew: TestCrew;
let joined: CrewSession;
let collector: OtlpReceiver;
beforeEach(async () => {
  [crew, collector] = await Promise.all([testCrew(), OtlpReceiver.start()]);
  Object.assign(crew.env, { OTEL_EXPORTER_OTLP_ENDPOINT: collector.url, OTEL_BSP_SCHEDULE_DELAY: '50' });
});
afterEach(async () => {
  await crew.stop();
  await collector.stop();
});

const look = new HeldTool('look', 'none');
const looker = defineKind({ name: 'looker', prompt: 'You look.', tools: [look.tool] });

async function start(env: NodeJS.ProcessEnv = {}, options: Parameters<TestCrew['node']>[1] = {}): Promise<CoxNode> {
  Object.assign(crew.env, env);
  joined = await crew.join();
  return crew.node(joined, { quietMs: 20, kinds: [looker], ...options });
}
const ofTask = (span: ReceivedSpan, id: string) => span.attributes['cox.task'] === id;
/** The span of the task itself, which comes last. */
const ended = (id: string) =>
  collector.until((spans) => spans.find((span) => ofTask(span, id) && span.name.startsWith('invoke_agent ')));

test('a goal is one trace: goal, sub-task, step, and below the step its model calls and tool calls', async () => {
  await start({
    OTEL_SERVICE_NAME: 'crew-one',
    OTEL_RESOURCE_ATTRIBUTES: 'team=blue%20sky',
    OTEL_EXPORTER_OTLP_HEADERS: 'x-key=a%3Db',
  });
  const tasks = [{ key: 'a', type: 'looker', instruction: 'Look at a', after: [] }];
  const plan = { tasks, reduce: { by: 'orchestrator' as const, instruction: 'Join' } };
  const id = await joined.crew.dispatch({ type: 'supervisor', instruction: 'The goal', plan });
  (await crew.model.next()).call('look', { at: 'secret.txt' });
  (await look.next()).returns('It is red.');
  (await crew.model.next()).reply('Red.');
  (await crew.model.next()).reply('All red.');
  await joined.crew.result(id, never);
  const goal = await ended(id);
  const sub = await ended(id.replace(/0$/, '1'));
  const { namespace } = joined.bus.subjects;
  expect(goal).toMatchObject({ ...spanOf(namespace, id), parentSpanId: '', name: 'invoke_agent supervisor', failed: false });
  expect(sub).toMatchObject({ name: 'invoke_agent looker', parentSpanId: goal.spanId, traceId: goal.traceId });
  expect(sub.attributes).toMatchObject({
    'gen_ai.operation.name': 'invoke_agent',
    'gen_ai.agent.name': 'looker',
    'cox.outcome': 'completed',
    'gen_ai.usage.input_tokens': 20,
  });
  const [first, second] = collector.spans.filter((span) => span.parentSpanId === sub.spanId && span.name.startsWith('step'));
  expect([first?.name, second?.name]).toEqual(['step 1', 'step 2']);
  const [chat, tool] = collector.spans.filter((span) => span.parentSpanId === first!.spanId);
  expect(chat).toMatchObject({ name: 'chat scripted', kind: 3 });
  expect(chat!.attributes).toMatchObject({
    ...{ 'gen_ai.operation.name': 'chat', 'gen_ai.provider.name': 'openai', 'gen_ai.request.model': 'scripted' },
    ...{ 'gen_ai.usage.input_tokens': 10, 'gen_ai.usage.output_tokens': 5, 'gen_ai.response.finish_reasons': ['tool_calls'] },
    ...{ 'gen_ai.conversation.id': id.replace(/0$/, '1'), 'cox.backend': 'main' },
  });
  expect(tool).toMatchObject({ name: 'execute_tool look', kind: 1 });
  expect(tool!.attributes).toMatchObject({
    'gen_ai.operation.name': 'execute_tool',
    'gen_ai.tool.name': 'look',
    'gen_ai.tool.call.id': 's1-0',
  });
  expect(new Set(collector.spans.map((span) => span.traceId))).toEqual(new Set([traceIdOf(namespace, id)]));
  expect(goal.resource).toMatchObject({ 'service.name': 'crew-one', team: 'blue sky', 'service.instance.id': joined.name });
  expect(collector.headers[0]).toMatchObject({ 'x-key': 'a=b' });
  // The words of nobody are recorded unasked.
  expect(JSON.stringify(collector.spans)).not.toMatch(/secret\.txt|It is red|The goal|You look|All red/);
});

test('content is recorded where the operator asks for it, without secrets', async () => {
  await start({ OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT: 'true' });
  const id = await joined.crew.dispatch({ type: 'looker', instruction: 'Look, the key is sk-abcdefghijklmnop' });
  (await crew.model.next()).call('look', { at: 'sky' });
  (await look.next()).fails('it is dark');
  (await crew.model.next()).reply('Dark.');
  await ended(id);
  const [tool] = collector.named('execute_tool look');
  expect(tool).toMatchObject({ failed: true, error: 'it is dark' });
  expect(tool!.attributes['gen_ai.tool.call.arguments']).toBe('{"at":"sky"}');
  const [, chat] = collector.spans.filter(({ name }) => name.startsWith('chat '));
  const messages = JSON.parse(String(chat!.attributes['gen_ai.input.messages']));
  expect(messages.at(-1)).toMatchObject({
    role: 'tool',
    parts: [{ type: 'tool_call_response', response: expect.stringContaining('it is dark') }],
  });
  expect(chat!.attributes['gen_ai.output.messages']).toContain('"content":"Dark."');
  expect(JSON.stringify(collector.spans)).not.toContain('sk-abcdefghijklmnop');
});

test('a step is linked to the steer that shaped it, and the steer to the trace of whoever sent it', async () => {
  await start();
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think' });
  const first = await crew.model.next();
  const { js, subjects } = joined.bus;
  const head = headers();
  head.set('traceparent', `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`);
  const message = JSON.stringify({ type: 'steer', id: 'mine', text: 'Be brief', urgency: 'now' });
  await js.publish(subjects.of(id, 'steering'), message, { headers: head });
  joined.bus.nc.publish(subjects.nudge(id));
  (await crew.model.next()).reply('Brief.');
  expect(await first.closed).toBe(true);
  const task = await ended(id);
  const [steer] = collector.named('steer steer');
  expect(steer).toMatchObject({ parentSpanId: task.spanId, links: [{ traceId: 'a'.repeat(32), spanId: 'b'.repeat(16) }] });
  expect(steer!.attributes).toMatchObject({ 'cox.steer': 'mine', 'cox.steer.fate': 'applied', 'cox.step': 2 });
  const [second] = collector.named('step 2');
  expect(second!.links).toEqual([{ traceId: steer!.traceId, spanId: steer!.spanId }]);
  expect(collector.named('step 1')[0]!.links).toEqual([]);
  // The call that the steer has cut off belongs to the first step.
  const [cut] = collector.named('chat scripted');
  expect(cut).toMatchObject({ failed: true, error: 'aborted', parentSpanId: collector.named('step 1')[0]!.spanId });
});

test('tickets and steers carry the trace context of W3C, and only where tracing is configured', async () => {
  joined = await crew.join();
  const quiet = await crew.join('quiet');
  const { traceparent: _, ...untraced } = quiet.bus;
  expect(joined.bus.traceparent).toBeTypeOf('function');
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'x' });
  await joined.crew.steer(id, { type: 'steer', text: 'y' });
  const { jsm, subjects } = joined.bus;
  const stored = async (stream: string, subject: string) =>
    (await jsm.streams.getMessage(stream, { last_by_subj: subject }))?.header;
  const { traceId, spanId } = spanOf(subjects.namespace, id);
  const expected = `00-${traceId}-${spanId}-01`;
  expect((await stored(subjects.workStream, subjects.ticket('reasoning', 'pending')))?.get('traceparent')).toBe(expected);
  expect((await stored(subjects.logStream, subjects.of(id, 'steering')))?.get('traceparent')).toBe(expected);
  const { publish } = await import('../../../bus/publish.ts');
  await publish(untraced, subjects.of(id, 'steering'), '{"type":"pause"}', {});
  expect((await stored(subjects.logStream, subjects.of(id, 'steering')))?.get('traceparent') ?? '').toBe('');
});

test('a task that a lost worker leaves goes on in its trace, and the next worker ends the step of the lost one', async () => {
  const options = { leaseMs: 500 };
  const lost = await crew.join('lost');
  await crew.node(lost, { quietMs: 20, ...options });
  joined = await crew.join('driver');
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think' });
  await crew.model.next();
  await lost.abandon();
  const heir = await crew.join('heir');
  await crew.node(heir, { quietMs: 20, ...options });
  (await crew.model.next()).reply('Done.');
  expect(await joined.crew.result(id, never)).toMatchObject({ outcome: 'completed' });
  const task = await ended(id);
  const steps = collector.named('step 1');
  expect(
    steps.map(({ attributes, parentSpanId, failed }) => [
      attributes['cox.node'],
      attributes['cox.lost'] ?? false,
      parentSpanId,
      failed,
    ]),
  ).toEqual([
    ['lost', true, task.spanId, true],
    ['heir', false, task.spanId, false],
  ]);
  expect(task.attributes).toMatchObject({ 'cox.node': 'heir', 'cox.epoch': 2 });
  expect(new Set(collector.spans.map((span) => span.traceId)).size).toBe(1);
  expect(steps[0]!.spanId).not.toBe(steps[1]!.spanId);
});

test('a task that waits for its operator ends its step, and goes on in a step of the next claim', async () => {
  const { askOperator } = await import('../../../actors/tools/ask-operator.ts');
  const asker = defineKind({ name: 'asker', prompt: 'You ask.', tools: [askOperator] });
  await start({}, { kinds: [asker] });
  const id = await joined.crew.dispatch({ type: 'asker', instruction: 'Ask' });
  (await crew.model.next()).call('ask_operator', { question: 'Which?' });
  const { question } = await statusWhere(joined.crew, id, (status) => status.question !== null);
  const sent = await joined.crew.steer(id, { type: 'answer', question: question!.id, text: 'This' });
  (await crew.model.next()).reply('Done.');
  expect(await finalReceipt(joined.crew, id, sent)).toMatchObject({ fate: 'applied' });
  await ended(id);
  expect(
    collector.spans.filter(({ name }) => name.startsWith('step')).map(({ name, attributes }) => [name, attributes['cox.epoch']]),
  ).toEqual([
    ['step 1', 1],
    ['step 1', 2],
    ['step 2', 2],
  ]);
});

test('a task that is ended without its machine has a span with the reason', async () => {
  await start({}, { types: ['ghost'] });
  const id = await joined.crew.dispatch({ type: 'ghost', instruction: 'x' });
  await joined.crew.result(id, never);
  expect(await ended(id)).toMatchObject({
    ...{ name: 'invoke_agent ghost', failed: true },
    attributes: { 'cox.outcome': 'failed', 'error.type': 'unknown-kind' },
  });
});

test('a sampler that keeps nothing keeps nothing, and figures are sent all the same', async () => {
  const node = await start({ OTEL_TRACES_SAMPLER: 'always_off', OTEL_METRIC_EXPORT_INTERVAL: '100' });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think' });
  (await crew.model.next()).reply('Done.');
  await joined.crew.result(id, never);
  await node.stop();
  expect(collector.spans).toEqual([]);
  const value = (name: string) => collector.points.find((point) => point.name === name)?.value;
  expect(value('gen_ai.client.inference.usage.input_tokens')).toBe(10);
  expect(value('cox.tasks')).toBe(1);
  expect(collector.points.find(({ name }) => name === 'gen_ai.invoke_agent.duration')).toMatchObject({ unit: 's' });
});

test('a node that ends sends the spans that wait', async () => {
  const node = await start({ OTEL_BSP_SCHEDULE_DELAY: '600000' });
  const id = await joined.crew.dispatch({ type: 'reasoning', instruction: 'Think' });
  (await crew.model.next()).reply('Done.');
  await joined.crew.result(id, never);
  await node.stop();
  expect(collector.named('invoke_agent reasoning').length).toBe(1);
});
