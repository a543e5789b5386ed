/**
 * A node with little memory and honest work, while a hostile client sends whatever it can. The node stays up, the honest tasks are
 * steered and end, and every message that the node has written fits its schema. The short form is part of the suite; `npm run
 * test:hostile` goes on for ten minutes (`COX_HOSTILE_SECONDS`). A failure prints its seed; `COX_SEED` chooses the same messages.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { DeliverPolicy } from '@nats-io/jetstream';
import { expect, onTestFinished, test } from 'vitest';
import { scanStream } from '../../bus/log/stream-scan.ts';
import { Result, Status } from '../../bus/messages.ts';
import { Refusal, replies } from '../../bus/protocol/protocol-schemas.ts';
import { parseRecord, StateRecord } from '../../bus/state/state-record.ts';
import { foldersOf, logFileIn } from '../../platform/folders.ts';
import { testCrew } from '../support/crew.ts';
import { finalReceipt, never } from '../support/watching.ts';
import { dice, seed } from './crash-matrix/chance.ts';
import { digestOf, grammar } from './hostile/grammar.ts';
import { type Course, Memory, residentBytes } from './soak-memory.ts';

const seconds = Number(process.env.COX_HOSTILE_SECONDS ?? 20);
/** MB of heap that the node may use. */
const heapMb = 400;
/** MB of resident memory beside the heap: program text, buffers of messages, and what the allocator keeps of freed ones. */
const besideMb = 500;
/** Messages that are sent before the client looks whether the server still takes them. */
const burst = 200;

const courseOf = (course: Course | undefined) =>
  `${course?.start} MB at the start, ${course?.middle} in the middle, ${course?.end} at the end, ${course?.most} at most`;

test(`a node with ${heapMb} MB of heap works on beside a hostile client (seed ${seed})`, {
  timeout: seconds * 1000 + 300_000,
}, async () => {
  const crew = await testCrew();
  const { bus, crew: client } = await crew.join('honest');
  const script = join(import.meta.dirname, 'hostile/node.ts');
  const node = spawn(process.execPath, [`--max-old-space-size=${heapMb}`, '--expose-gc', script], {
    env: { ...crew.env, MODEL_URL: crew.model.url } as NodeJS.ProcessEnv,
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const gone = once(node, 'exit');
  onTestFinished(async () => {
    node.kill('SIGKILL');
    await gone;
    await crew.stop();
  });
  let usedBytes = 0;
  const ready = once(node.stdout!, 'data');
  createInterface({ input: node.stdout! }).on('line', (line) => {
    if (Number(line) > 0) usedBytes = Number(line);
  });
  await ready;
  const isUp = () => node.exitCode === null && node.signalCode === null;

  // An honest task goes on when it is steered; all others of the model end at once or never.
  const says = (text: string) => (call: { texts(role: string): string[] }) => call.texts('user').join().includes(text);
  const own = await Promise.all(['ended', 'live'].map((instruction) => client.dispatch({ type: 'reasoning', instruction })));
  (await crew.model.next(says('ended'))).reply('done');
  await client.result(own[0]!, never);
  await crew.model.next(says('live'));
  crew.model.answer((call) => {
    if (says('the honest correction')(call)) call.reply('done');
  });

  let isOver = false;
  onTestFinished(() => {
    isOver = true;
  });
  const working: string[] = [];
  const latencies: number[] = [];
  const honest = async () => {
    const outcomes: unknown[] = [];
    while (!isOver) {
      const id = await client.dispatch({ type: 'reasoning', instruction: 'honest work' });
      working.push(id);
      const from = performance.now();
      const sent = await client.steer(id, { type: 'steer', text: 'the honest correction' });
      const receipt = await finalReceipt(client, id, sent);
      latencies.push(performance.now() - from);
      const { outcome } = await client.result(id, never);
      outcomes.push({ fate: receipt.fate, outcome });
      working.splice(working.indexOf(id), 1);
    }
    return outcomes;
  };

  const hostile = await crew.join('hostile');
  const { nc } = hostile.bus;
  // The client library refuses what the server would not carry; 1 kB is left for headers.
  const largest = nc.info!.max_payload - 1024;
  const next = grammar(bus.subjects, { honest: () => [...working], own }, dice(seed));
  const theirs = new Set<string>();
  const misfits: unknown[] = [];
  const inbox = 'hostile.inbox';
  nc.subscribe(`${inbox}.*`, {
    callback: (_, { subject, data, headers }) => {
      // The verbs that only a crew with roles serves.
      if (headers?.code === 503) return;
      const isRefusal = Boolean(headers?.get('Nats-Service-Error-Code'));
      const verb = subject.split('.').at(-1) as keyof typeof replies;
      const parsed = (isRefusal ? Refusal : replies[verb]).safeParse(JSON.parse(new TextDecoder().decode(data)));
      if (!parsed.success) misfits.push({ verb, isRefusal, error: parsed.error.message.slice(0, 500) });
    },
  });
  let sent = 0;
  const attack = async () => {
    while (!isOver && isUp()) {
      for (let n = 0; n < burst; n++, sent++) {
        const { subject, isRequest, headers, ...message } = next();
        const payload = Buffer.from(message.payload).subarray(0, largest);
        if (!isRequest && /status|result|KV/.test(subject)) theirs.add(digestOf(payload));
        const verb = subject.split('.').at(-1);
        nc.publish(subject, payload, {
          ...(headers && { headers }),
          ...(isRequest && verb !== 'none' && { reply: `${inbox}.${verb}` }),
        });
      }
      await nc.flush();
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  const memory = new Memory({ used: async () => usedBytes, resident: () => residentBytes(node.pid!) });
  const sampling = setInterval(() => void memory.sample().catch(() => {}), 500);
  onTestFinished(() => clearInterval(sampling));
  const works = [honest(), honest(), honest()];
  const attacking = attack();
  await Promise.race([gone, new Promise((resolve) => setTimeout(resolve, seconds * 1000))]);
  isOver = true;
  await attacking;
  expect(isUp()).toBe(true);
  const outcomes = (await Promise.all(works)).flat();

  const check = (
    schema: { safeParse(value: unknown): { success: boolean; error?: Error | undefined } },
    data: Uint8Array,
    what: string,
  ) => {
    const parsed = schema.safeParse(JSON.parse(new TextDecoder().decode(data)));
    if (!parsed.success) misfits.push({ what, error: parsed.error?.message.slice(0, 500) });
  };
  let ours = 0;
  const wholeLog = {
    filter_subjects: [bus.subjects.every('status'), bus.subjects.every('result')],
    deliver_policy: DeliverPolicy.All,
  };
  await scanStream(bus, bus.subjects.logStream, wholeLog, ({ subject, data }) => {
    if (theirs.has(digestOf(data))) return;
    ours++;
    check(subject.endsWith('.status') ? Status : Result, data, subject);
  });
  await scanStream(
    bus,
    `KV_${bus.subjects.stateBucket}`,
    { deliver_policy: DeliverPolicy.LastPerSubject },
    ({ subject, data }) => {
      if (data.length === 0 || theirs.has(digestOf(data))) return;
      const record = parseRecord(data, subject.split('.').slice(-2).join('.'));
      const parsed = StateRecord.safeParse(record);
      if (!parsed.success) misfits.push({ what: subject, error: parsed.error.message.slice(0, 500) });
    },
  );
  const sorted = latencies.toSorted((a, b) => a - b);
  const at = (p: number) => Math.round(sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * p))] ?? Number.NaN);
  const [used, resident] = memory.courses();
  const logBytes = statSync(logFileIn(foldersOf(crew.env).state)).size;
  console.log(
    `hostile: ${sent} messages, ${outcomes.length} honest tasks, steer → final receipt p50 ${at(0.5)} ms, p99 ${at(0.99)} ms; ${ours} messages of the node; memory in use ${courseOf(used)}, resident ${courseOf(resident)}; log ${logBytes} bytes`,
  );
  expect(misfits).toEqual([]);
  expect(outcomes.length).toBeGreaterThan(0);
  expect(outcomes.filter((it) => JSON.stringify(it) !== '{"fate":"applied","outcome":"completed"}')).toEqual([]);
  expect(logBytes).toBeLessThan(11_000_000);
  expect(resident!.most).toBeLessThan(heapMb + besideMb);
  // A short run ends before everything is warm.
  if (seconds >= 300) expect(used).toMatchObject({ isFlat: true });
});
