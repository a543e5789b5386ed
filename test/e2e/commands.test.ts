import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Receipt, Result, Status, TreeNode } from '../../bus/messages.ts';
import { stateStream, stateSubject } from '../../bus/state/state-store.ts';
import { joinCrew } from '../../index.ts';
import type { ModelCall } from '../support/model-server.ts';
import { isPlanning, isReducing, isWorking, planOf, type Running, World } from './support/world.ts';

/** One crew for all tests: a headless node, and terminals that come and go. */
let world: World;
let node: Running;
beforeAll(async () => {
  world = await World.make();
  node = world.start(['up', '--json'], { stdin: null });
  await node.says('stdout', /"node"/);
});
afterAll(() => world.stop());

interface Steered {
  id: string;
  steer: string;
  seq: number;
  fate: string;
  receipts: Receipt[];
}

/** Dispatches a task and waits for its model call. */
async function inFlight(instruction: string, type = 'reasoning'): Promise<{ id: string; call: ModelCall }> {
  const { code, value } = await world.json<{ id: string }>(['dispatch', type, instruction]);
  expect(code).toBe(0);
  return { id: value.id, call: await callAbout(instruction) };
}
const callAbout = (text: string) => world.model.next((call) => isWorking(call) && call.texts('user').join('\n').includes(text));

describe('from a second terminal', () => {
  it('a task is dispatched, looked at, corrected and waited for', async () => {
    const { id, call } = await inFlight('fill in the form');
    expect(id).toMatch(/^[a-z0-9]+\.0$/);

    const status = await world.json<Status>(['status', id]);
    expect(status.value).toMatchObject({
      id,
      type: 'reasoning',
      state: 'thinking',
      step: 1,
      outcome: null,
      usage: { inputTokens: 0 },
    });

    const steered = world.json<Steered>(['steer', id, 'use my work email']);
    expect(await call.closed).toBe(true);
    const next = await callAbout('use my work email');
    const { code, value } = await steered;
    expect(code).toBe(0);
    expect(value).toMatchObject({ id, fate: 'applied' });
    expect(value.receipts.at(-1)).toMatchObject({ steer: value.steer, seq: value.seq, fate: 'applied', step: 2 });

    const waiting = world.json<Result>(['result', id]);
    next.reply('filled in');
    expect(await waiting).toMatchObject({
      code: 0,
      value: {
        id,
        outcome: 'completed',
        output: 'filled in',
        salvage: { steps: 2 },
        usage: { inputTokens: 10, outputTokens: 5, costUsd: 0 },
      },
    });
  });

  it('a result that is not there yet ends the command with exit code 10', async () => {
    const { id, call } = await inFlight('take your time');
    const early = await world.json<{ id: string; outcome: null }>(['result', id, '--no-wait']);
    expect(early).toMatchObject({ code: 10, value: { id, outcome: null, output: null } });
    call.reply('done');
    expect((await world.cox(['result', id])).stdout).toBe('done\n');
  });

  it('a question is answered by its id, and an answer to an unknown question ends with exit code 4', async () => {
    const { id, call } = await inFlight('ask me', 'files');
    const watch = world.start(['watch', id, '--json'], { stdin: null });
    const waits = world.start(['result', id], { stdin: null });
    call.call('ask_operator', { question: 'Which colour?' });
    await watch.says('stdout', /Which colour\?/);
    await waits.says('stderr', /Which colour\?[\s\S]*cox answer/);
    const status = await world.json<Status>(['status', id]);
    expect(status.value).toMatchObject({ state: 'awaiting-steer', question: { id: 'q1', kind: 'asked' } });
    expect(await world.json<Steered>(['answer', id, 'q9', 'blue'])).toMatchObject({ code: 4, value: { fate: 'returned' } });
    expect(await world.json<Steered>(['answer', id, 'q1', 'blue'])).toMatchObject({ code: 0, value: { fate: 'applied' } });
    const next = await callAbout('ask me');
    expect(next.texts('tool').join()).toContain('blue');
    next.reply('blue it is');
    expect(await waits.ended).toMatchObject({ code: 0, stdout: 'blue it is\n' });
    const { code, stdout } = await watch.ended;
    expect(code).toBe(0);
    const events = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { kind: string });
    expect(events.at(-1)).toMatchObject({ kind: 'result', result: { id, outcome: 'completed', output: 'blue it is' } });
    expect(events.some(({ kind }) => kind === 'status')).toBe(true);
  });

  it('a steer stays in force when the command that waits for its receipt is ended', async () => {
    const { id, call } = await inFlight('ask, and wait');
    const waits = world.start(['result', id], { stdin: null });
    call.call('ask_operator', { question: 'Which way?' });
    await waits.says('stderr', /Which way\?/);
    const steer = world.start(['steer', id, 'mind the step'], { stdin: null });
    await steer.says('stdout', /steer queued/);
    steer.process.kill('SIGINT');
    expect(await steer.ended).toMatchObject({ code: 130, stderr: expect.stringMatching(/not taken back/) });
    await world.cox(['answer', id, 'q1', 'left']);
    const next = await callAbout('mind the step');
    next.reply('there');
    expect((await waits.ended).code).toBe(0);
  });

  it('a task is paused, resumed, redirected, swapped and cancelled, each with a receipt', async () => {
    const { id, call } = await inFlight('the long way');
    expect((await world.json<Steered>(['pause', id])).value.fate).toBe('applied');
    expect(await call.closed).toBe(true);
    expect((await world.json<Status>(['status', id])).value.paused).toBe(true);
    expect((await world.json<Steered>(['resume', id])).value.fate).toBe('applied');
    const again = await callAbout('the long way');

    const redirected = world.json<Steered>(['redirect', id, 'the short way']);
    expect(await again.closed).toBe(true);
    const short = await callAbout('the short way');
    expect((await redirected).value.fate).toBe('applied');

    const swapped = world.json<Steered>(['swap', id, 'other']);
    short.call('ask_operator', { question: 'left or right?' });
    expect((await swapped).value.fate).toBe('applied');

    const cancelled = await world.json<Steered>(['cancel', id, 'never mind']);
    expect(cancelled).toMatchObject({ code: 0, value: { fate: 'applied' } });
    const result = await world.json<Result>(['result', id]);
    expect(result).toMatchObject({ code: 5, value: { id, outcome: 'cancelled', output: null } });
    expect(result.value.salvage.steps).toBeGreaterThan(0);
    expect(await world.json<Steered>(['steer', id, 'too late'])).toMatchObject({ code: 4, value: { fate: 'returned' } });
  });

  it('a steer is sent without waiting, and one that expects another step is returned', async () => {
    const { id, call } = await inFlight('step by step');
    expect(await world.json<Steered>(['steer', id, 'wrong step', '--expect-step', '7'])).toMatchObject({
      code: 4,
      value: { fate: 'returned' },
    });
    expect(await world.json<Steered>(['steer', id, 'when you next think', '--next', '--no-wait'])).toMatchObject({
      code: 0,
      value: { fate: 'sent', receipts: [] },
    });
    call.reply('first');
    const next = await callAbout('when you next think');
    next.reply('second');
    expect((await world.cox(['result', id])).stdout).toBe('second\n');
  });

  it('a tree shows every sub-task with its backend, state and usage', async () => {
    const { value } = await world.json<{ id: string }>(['dispatch', 'supervisor', 'grow a tree']);
    (await world.model.next(isPlanning)).reply(planOf(['left', 'right']));
    const [left, right] = [await callAbout('Do left'), await callAbout('Do right')];
    left.reply('L');
    right.reply('R');
    (await world.model.next(isReducing)).reply('L and R');
    expect((await world.json<Result>(['result', value.id])).value.output).toContain('L and R');
    const tree = await world.json<{ id: string; nodes: TreeNode[] }>(['tree', value.id]);
    const root = value.id.split('.')[0];
    expect(tree.value.nodes).toMatchObject([
      { id: `${root}.0`, parent: null, type: 'supervisor', state: 'done', outcome: 'completed' },
      {
        id: `${root}.1`,
        parent: `${root}.0`,
        key: 'left',
        type: 'reasoning',
        backend: 'main',
        state: 'done',
        outcome: 'completed',
        steps: 1,
      },
      { id: `${root}.2`, parent: `${root}.0`, key: 'right', usage: { inputTokens: 10, outputTokens: 5, costUsd: 0 } },
    ]);
    // The id may be an unambiguous prefix. The output is for people.
    const { stdout } = await world.cox(['tree', root!.slice(0, 5)]);
    expect(stdout.split('\n').slice(1, 3)).toEqual([
      expect.stringMatching(/^├─ .*completed/),
      expect.stringMatching(/^└─ .*completed/),
    ]);
  });

  it('the list of tasks shows open tasks, and with --all ended ones too', async () => {
    const { id, call } = await inFlight('be listed');
    const open = await world.json<{ tasks: { id: string; outcome: string | null }[] }>(['status']);
    expect(open.value.tasks.map((task) => task.id)).toContain(id);
    expect(open.value.tasks.every((task) => task.outcome === null)).toBe(true);
    call.reply('listed');
    await world.cox(['result', id]);
    const all = await world.json<{ tasks: { id: string; outcome: string | null }[] }>(['status', '--all']);
    expect(all.value.tasks.find((task) => task.id === id)?.outcome).toBe('completed');
  });

  it('two namespaces on one server do not see each other', async () => {
    const { value } = await world.json<{ tasks: unknown[] }>(['status', '--all', '--namespace', 'elsewhere']);
    expect(value.tasks).toEqual([]);
  });
});

describe('the plan of a goal', () => {
  it('is changed by keys or by ids, tasks are named by keys too, and each receipt says what has changed', async () => {
    const dispatched = await world.json<{ id: string }>(['dispatch', 'supervisor', 'three parts']);
    const { id } = dispatched.value;
    const child = (n: number) => id.replace('.0', `.${n}`);
    (await world.model.next((call) => isPlanning(call) && call.texts('user').join().includes('three parts'))).reply(
      planOf(['one', 'two', 'three']),
    );
    const [one] = [await callAbout('Do one'), await callAbout('Do two'), await callAbout('Do three')];
    const reason = async (...args: string[]) => (await world.json<Steered>(args)).value.receipts.at(-1)?.reason;
    expect(await reason('drop', id, child(3))).toBe(`three (${child(3)}) is dropped`);
    expect(await reason('rerun', id, child(2))).toBe(`two runs again as ${child(4)}`);
    expect(await reason('retarget', id, '.4', 'other')).toBe(`two runs again on other as ${child(5)}`);
    expect(await reason('add', id, `four:one,${child(5)}`, 'reasoning', 'Do four')).toBe(
      'four is added, and starts after one, two',
    );
    expect(await world.json(['drop', id, child(9)])).toMatchObject({ code: 2, value: { error: { code: 'usage' } } });
    expect(await world.json(['drop', id, child(2)])).toMatchObject({
      ...{ code: 2, value: { error: { message: expect.stringContaining('earlier attempt') } } },
    });
    expect(await world.json(['drop', id, 'nothing'])).toMatchObject({ code: 4 });
    const tree = (await world.cox(['tree', `${id.split('.')[0]}`])).stdout;
    expect(tree).toContain(`${child(1)} one · reasoning`);
    expect(tree).toContain('four · reasoning · planned');
    expect((await world.json<Status>(['status', `${id}/one`])).value.id).toBe(child(1));
    const steered = world.json<Steered>(['steer', `${id.split('.')[0]}/one`, 'be brief']);
    expect(await one.closed).toBe(true);
    (await callAbout('be brief')).reply('brief');
    expect((await steered).value).toMatchObject({ id: child(1), fate: 'applied' });
    await world.cox(['cancel', id]);
  });
});

describe('menu --probe', () => {
  const names = (call: ModelCall) => call.body.model;

  it('says of each backend how it behaves, and ends with 1 if one does not answer', async () => {
    const probing = world.json<{ menu: { name: string; probe: object }[] }>(['menu', '--probe']);
    for (const model of ['scripted', 'other']) {
      const first = await world.model.next(
        (call) => names(call) === model && call.texts('user').join().includes('Call the tool'),
      );
      if (model === 'other') first.fail(401, 'no such key');
      else {
        first.call('ready', { word: 'yes' });
        (await world.model.next((call) => call.texts('user').join().includes('Are you ready?'))).reply('{"ready": true}');
      }
    }
    const { code, value } = await probing;
    expect(code).toBe(1);
    expect(value.menu).toMatchObject([
      { name: 'main', probe: { answers: true, callsTools: true, fitsShape: true } },
      { name: 'other', probe: { answers: false, code: 'bad-key', why: expect.stringContaining('no such key') } },
    ]);
  });

  it('asks nobody without the option', async () => {
    const asked = world.model.calls.length;
    const { code, value } = await world.json<{ menu: object[] }>(['menu']);
    expect([code, world.model.calls.length]).toEqual([0, asked]);
    for (const entry of value.menu) expect(entry).not.toHaveProperty('probe');
  });
});

describe('roster', () => {
  it('is shown without keys, checked, and edited, and the node that runs takes the edit up', async () => {
    const shown = await world.json<{ file: string; reducer: string; backends: { name: string; on: boolean }[] }>(['roster']);
    expect(shown).toMatchObject({ code: 0, value: { reducer: 'orchestrator', backends: expect.any(Array) } });
    expect(JSON.stringify(shown.value)).not.toMatch(/"key/);
    const { value } = await world.json<{ changed: boolean; diff: string; backup: string }>([
      ...['roster', 'edit', 'supervision.max_depth=3', '--yes'],
    ]);
    expect(value).toMatchObject({ changed: true, diff: expect.stringContaining('+  max_depth: 3') });
    await node.says('stderr', /The roster has changed and is in use/);
    expect(await world.json(['roster', 'check'])).toMatchObject({ code: 0, value: { file: shown.value.file, valid: true } });
    expect((await world.json<object>(['roster', 'schema'])).value).toMatchObject({ title: 'Coxswain roster' });
    // The removal of the only key of a section is the removal of the section.
    expect((await world.json<object>(['roster', 'edit', 'supervision=', '--yes'])).value).toMatchObject({ changed: true });
  });
});

describe('bad input ends with a clear error and a code of its own', () => {
  const cases: readonly (readonly [what: string, args: readonly string[], exit: number, code: string])[] = [
    ['an unknown command', ['frobnicate'], 2, 'usage'],
    ['an unknown option', ['status', '--frob'], 2, 'usage'],
    ['a missing argument', ['steer'], 2, 'usage'],
    ['an unknown task', ['status', 'zzzz.0'], 3, 'unknown-task'],
    ['an unknown task to steer', ['steer', 'zzzz.7', 'x'], 3, 'unknown-task'],
    ['a malformed task id', ['tree', '../etc/passwd x'], 2, 'usage'],
    ['an unknown type', ['dispatch', 'painter', 'a picture'], 2, 'unknown-type'],
    ['a malformed type', ['dispatch', 'Ünknown type', 'x'], 2, 'unknown-type'],
    ['an unknown backend', ['dispatch', 'files', 'x', '--backend', 'nobody'], 2, 'unknown-backend'],
    ['an empty goal', ['run', '  '], 2, 'empty-goal'],
    ['a malformed deadline', ['run', 'x', '--deadline', 'soon'], 2, 'usage'],
    ['two urgencies', ['steer', 'zzzz.0', 'x', '--now', '--after'], 2, 'usage'],
    ['a missing roster', ['menu', '--roster', 'nowhere.yaml'], 7, 'roster-missing'],
    ['an edit that is none', ['roster', 'edit', 'reducer'], 7, 'roster-edit'],
    ['an edit without a value that fits', ['roster', 'edit', 'reducer=nobody', '--yes'], 7, 'roster-invalid'],
    ['an edit with nobody to ask', ['roster', 'edit', 'reducer=concat'], 2, 'usage'],
    ['an unknown word of roster', ['roster', 'frob'], 2, 'usage'],
    ['a malformed namespace', ['status', '--namespace', 'a.b'], 2, 'bad-namespace'],
    ['an empty instruction', ['dispatch', 'files', ''], 2, 'empty-goal'],
    ['a node for a missing folder', ['worker', '--workspace', 'nowhere'], 2, 'bad-workspace'],
    ['too many arguments', ['nodes', 'extra'], 2, 'usage'],
    ['an unknown shell', ['completion', 'tcsh'], 2, 'usage'],
    ['the prompt as JSON', ['start'], 2, 'usage'],
  ];
  it.each(cases)('%s is refused', async (_what, args, exit, code) => {
    const asJson = await world.json<{ error: { code: string; message: string; hint: string } }>(args);
    expect(asJson).toMatchObject({ code: exit, value: { error: { code } } });
    expect(asJson.value.error.message.length).toBeGreaterThan(5);
    expect(asJson.value.error.message).not.toMatch(/\.\.$/);
    expect(asJson.value.error.hint.length).toBeGreaterThan(5);
  });

  it('an error is for people by default: message and hint on stderr, nothing on stdout', async () => {
    const { code, stdout, stderr } = await world.cox(['status', 'zzzz.0']);
    expect({ code, stdout }).toEqual({ code: 3, stdout: '' });
    expect(stderr).toMatch(/^cox: No task zzzz\.0\.\n {2}\S/);
  });

  it('a goal of a megabyte is refused', async () => {
    const { code, value } = await world.json<{ error: { code: string } }>(['run', '-'], { stdin: 'x'.repeat(1_000_000) });
    expect({ code, error: value.error.code }).toEqual({ code: 2, error: 'goal-too-long' });
  });

  it('an empty goal on stdin is refused', async () => {
    expect(await world.json(['run', '-'], { stdin: '\n' })).toMatchObject({ code: 2, value: { error: { code: 'empty-goal' } } });
  });

  it('a malformed roster is refused with file and line', async () => {
    const { writeFile } = await import('node:fs/promises');
    const file = `${world.folder}/broken.yaml`;
    await writeFile(file, 'backends:\n  main:\n    base_url: 7\n');
    const { code, value } = await world.json<{ error: { message: string } }>(['run', 'x', '--roster', file]);
    expect(code).toBe(7);
    expect(value.error.message).toContain(`${file}:3:`);
  });

  it.each([
    ['a kind', '{ key: a, type: painter, instruction: x }', 'concat', 'unknown-type', /plan\.yaml: a: .*"painter"/],
    [
      'a backend',
      '{ key: a, type: files, instruction: x, backend: nobody }',
      'concat',
      'unknown-backend',
      /plan\.yaml: a: .*"nobody"/,
    ],
    [
      'a reducer',
      '{ key: a, type: files, instruction: x }',
      'backend, backend: nobody',
      'unknown-backend',
      /plan\.yaml: reduce: /,
    ],
  ])('a plan that names %s that does not exist is refused before anything starts', async (_what, task, by, error, says) => {
    const { writeFile } = await import('node:fs/promises');
    const file = `${world.folder}/plan.yaml`;
    await writeFile(file, `tasks: [${task}]\nreduce: { by: ${by} }\n`);
    const { code, value } = await world.json<{ error: { code: string; message: string } }>(['run', 'x', '--plan', file]);
    expect({ code, error: value.error.code }).toEqual({ code: 2, error });
    expect(value.error.message).toMatch(says);
  });

  it('a bus that does not answer is reported', async () => {
    const env = { NATS_URL: 'nats://127.0.0.1:1', XDG_STATE_HOME: `${world.folder}/elsewhere` };
    expect(await world.json(['status'], { env })).toMatchObject({ code: 6, value: { error: { code: 'nats-unreachable' } } });
  });

  it('a missing crew is reported', async () => {
    const env = { XDG_STATE_HOME: `${world.folder}/nobody` };
    expect(await world.json(['status'], { env })).toMatchObject({ code: 6, value: { error: { code: 'no-crew' } } });
  });

  it('a state folder that cannot be made is reported', async () => {
    // The path is a file, which stops root too; a read-only folder would not.
    const env = { XDG_STATE_HOME: `${world.folder}/roster.yaml` };
    expect(await world.json(['run', 'x'], { env })).toMatchObject({ code: 9, value: { error: { code: 'storage-failed' } } });
    const { code, value } = await world.json<{ findings: { id: string; level: string }[] }>(['doctor'], { env });
    expect(code).toBe(1);
    expect(value.findings.find(({ id }) => id === 'state-folder')?.level).toBe('problem');
  });
});

describe('help', () => {
  it('is there for every command, on stdout, with exit code 0', async () => {
    const { code, stdout } = await world.cox(['--help']);
    expect(code).toBe(0);
    const names = [...stdout.matchAll(/^ {2}([a-z]+) /gm)].map(([, name]) => name!);
    expect(names).toEqual(
      expect.arrayContaining(['start', 'run', 'dispatch', 'status', 'steer', 'answer', 'cancel', 'doctor', 'up']),
    );
    const each = await Promise.all(['run', 'steer', 'up'].map((name) => world.cox([name, '--help'])));
    expect(each.map((help) => [help.code, /^Usage: cox /.test(help.stdout), /--json/.test(help.stdout)])).toEqual(
      each.map(() => [0, true, true]),
    );
  });

  it('suggests the command that a mistyped one may have meant', async () => {
    expect((await world.cox(['statu'])).stderr).toMatch(/Did you mean .*status/);
  });
});

it('doctor reports what is in order, and how to mend the rest', async () => {
  const { code, value } = await world.json<{ ok: boolean; findings: { id: string; level: string; hint: string }[] }>(['doctor']);
  expect(code).toBe(value.ok ? 0 : 1);
  expect(value.findings.map(({ id }) => id)).toEqual(
    expect.arrayContaining([
      ...['node', 'state-folder', 'cache-folder', 'nats-server', 'bus', 'roster', 'backend'],
      ...['browser', 'ocr', 'documents', 'pictures'],
    ]),
  );
  expect(value.findings.filter(({ level, hint }) => level !== 'good' && hint === '')).toEqual([]);
  const broken = await world.json<{ ok: boolean; findings: { id: string; level: string }[] }>([
    'doctor',
    '--roster',
    'nowhere.yaml',
  ]);
  expect(broken).toMatchObject({ code: 1, value: { ok: false } });
  expect(broken.value.findings.find(({ id }) => id === 'roster')?.level).toBe('problem');
});

it('doctor refuses to install a part that there is not, and names those that there are', async () => {
  const { code, stderr } = await world.cox(['doctor', '--install', 'kitchen']);
  expect(code).toBe(2);
  expect(stderr).toContain('expected one of browser');
});

it('a watch of a task that is removed ends, and says so', async () => {
  const { id, call } = await inFlight('be removed');
  const watch = world.start(['watch', id, '--json'], { stdin: null });
  await watch.says('stdout', /"state":"thinking"/);
  const { bus, close } = await joinCrew({ env: world.env });
  await bus.jsm.streams.purge(stateStream(bus), { filter: stateSubject(bus, id) });
  await close();
  expect(await watch.ended).toMatchObject({ code: 3, stdout: expect.stringContaining('unknown-task') });
  call.reply('too late');
});

it('a command ends quietly when its reader closes the pipe', async () => {
  const { id, call } = await inFlight('be watched');
  const watch = world.start(['watch', '--json'], { stdin: null });
  watch.process.stdout.destroy();
  await world.cox(['steer', id, 'one', '--expect-step', '99']);
  await world.cox(['steer', id, 'two', '--expect-step', '99']);
  const { code, stderr } = await watch.ended;
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  call.reply('seen');
});
