/** `cox artifacts`, and long results, as an operator meets them. */
import { lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Artifacts, sha256Of } from '../../bus/artifacts/artifacts.ts';
import type { ArtifactRow } from '../../bus/messages.ts';
import { type CrewSession, joinCrew } from '../../index.ts';
import { isPlanning, planOf, World } from './support/world.ts';

let world: World;
let joined: CrewSession;
let id: string;
const picture = Buffer.from([0x89, 0x50, 0x4e, 0x47, 0, 1, 2, 255]);
const answer = `${'a long answer '.repeat(20_000)}THE END`;

beforeAll(async () => {
  world = await World.make();
  await world.roster('tools: { gated: [] }\n');
  const node = world.start(['up', '--json'], { stdin: null });
  await node.says('stdout', /"node"/);
  joined = await joinCrew({ env: world.env });
  world.model.answer((call) => {
    if (call.texts('tool').length > 0) call.reply(answer);
    else call.call('write_file', { path: 'a.txt', text: 'new' });
  });
  writeFileSync(at('a.txt'), 'old');
  id = (await world.json<{ id: string }>(['dispatch', 'files', 'write'])).value.id;
  await world.cox(['result', id]);
  await store('made-0', '../../.ssh/page.png', picture);
  await store('made-1', 'note.txt', Buffer.from('a note'));
});
afterAll(async () => {
  await joined?.close();
  await world?.stop();
});

const at = (path: string) => join(world.workspace, path);
const store = (n: `made-${number}`, name: string, bytes: Uint8Array) => {
  const type = name.endsWith('png') ? 'image/png' : 'text/plain';
  return new Artifacts(joined.bus).store({ task: id, call: 's1-0', n }, { name, type, bytes, step: 1 });
};
const listed = async (...more: string[]) =>
  (await world.json<{ artifacts: ArtifactRow[]; next: string | null; more: number }>(['artifacts', id, ...more])).value;

describe('cox artifacts', () => {
  it('lists what a task has made, replaced and answered, in pages', async () => {
    const { artifacts, next } = await listed();
    expect(artifacts.map(({ ref, kind }) => [ref, kind])).toEqual([
      [expect.stringMatching(`^${id}/result/output-`), 'result'],
      [`${id}/s1-0/0`, 'replaced'],
      [`${id}/s1-0/made-0`, 'made'],
      [`${id}/s1-0/made-1`, 'made'],
    ]);
    expect(next).toBeNull();
    expect(artifacts[2]).toMatchObject({ task: id, call: 's1-0', name: 'page.png', type: 'image/png', bytes: 8, step: 1 });
    expect(artifacts[2]!.sha256).toBe(sha256Of(picture));
    const first = await listed('--limit', '3');
    expect(first).toMatchObject({ next: `${id}/s1-0/made-0`, more: 1 });
    expect((await listed('--after', first.next!)).artifacts.map(({ ref }) => ref)).toEqual([`${id}/s1-0/made-1`]);
    const { stdout } = await world.cox(['artifacts', id]);
    expect(stdout).toMatch(/^\S+\/s1-0\/made-0 {2}made {2}page\.png {2}image\/png {2}8 bytes {2}step 1 {2}/m);
    expect((await world.cox(['artifacts', 'zzzz'])).code).toBe(3);
    expect((await world.cox(['artifacts', id, '--after', '../x'])).code).toBe(2);
  });

  it('writes one into a file that is not there yet, never outside of the folder by the name of the artifact', async () => {
    const ref = `${id}/s1-0/made-0`;
    const { value } = await world.json<{ file: string; sha256: string }>(['artifacts', 'get', ref]);
    expect(value).toMatchObject({ file: at('page.png'), sha256: sha256Of(picture) });
    expect(readFileSync(at('page.png'))).toEqual(picture);
    const again = await world.cox(['artifacts', 'get', ref]);
    expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining('page.png is there already') });
    mkdirSync(at('pictures'));
    expect((await world.cox(['artifacts', 'get', ref, '-o', 'pictures'])).code).toBe(0);
    expect(readdirSync(at('pictures'))).toEqual(['page.png']);
    expect((await world.cox(['artifacts', 'get', ref, '-o', 'own.png'])).code).toBe(0);
    expect(readFileSync(at('own.png'))).toEqual(picture);
  });

  it('replaces a file with --force, and a link without following it', async () => {
    writeFileSync(at('kept.txt'), 'kept');
    symlinkSync(at('kept.txt'), at('note.txt'));
    const ref = `${id}/s1-0/made-1`;
    expect((await world.cox(['artifacts', 'get', ref])).code).toBe(2);
    expect((await world.cox(['artifacts', 'get', ref, '--force'])).code).toBe(0);
    expect(lstatSync(at('note.txt')).isSymbolicLink()).toBe(false);
    expect([readFileSync(at('note.txt'), 'utf8'), readFileSync(at('kept.txt'), 'utf8')]).toEqual(['a note', 'kept']);
    expect(readdirSync(world.workspace).filter((name) => name.startsWith('.note'))).toEqual([]);
  });

  it('writes one to stdout byte for byte, also a file as it was before a write', async () => {
    expect((await world.cox(['artifacts', 'get', `${id}/s1-0/made-1`, '-o', '-'])).stdout).toBe('a note');
    expect((await world.cox(['artifacts', 'get', `${id}/s1-0/0`, '-o', '-'])).stdout).toBe('old');
    expect((await world.cox(['artifact', `${id}/s1-0/made-1`])).stdout).toBe('a note');
    const terminal = world.terminal(['artifact', `${id}/s1-0/made-0`]);
    await terminal.line(/is no text \(image\/png\)/);
    expect(await terminal.exited).toBe(2);
    expect(await world.terminal(['artifacts', 'get', `${id}/s1-0/made-0`, '-o', '-']).exited).toBe(2);
  });

  it('says what is wrong with its words, and refuses what is damaged or gone', async () => {
    expect((await world.cox(['artifacts', 'get'])).code).toBe(2);
    expect((await world.cox(['artifacts', 'get', id])).code).toBe(2);
    expect((await world.cox(['artifacts', id, 'x'])).code).toBe(2);
    expect((await world.cox(['artifacts', id, '-o', 'x'])).code).toBe(2);
    expect((await world.cox(['artifacts', 'get', `${id}/s9-0/made-0`])).code).toBe(3);
    expect((await world.cox(['artifacts', 'get', `${id}/s1-0/made-1`, '-o', 'no/folder/a.txt'])).code).toBe(2);
    expect((await world.cox(['artifacts', 'get', `${id}/s1-0/made-1`, '-o', 'no/folder/a.txt', '--force'])).code).toBe(2);
    const { bus } = joined;
    const place = { task: 'evil.0', call: 's1-0', n: 'made-0' } as const;
    const head = { sha256: 'a'.repeat(64), bytes: 3, parts: 1, name: '../../../evil', type: 'x' };
    await bus.js.publish(bus.subjects.artifactPart(place, head.sha256, 0), 'xyz');
    await bus.js.publish(bus.subjects.artifactHead(place), JSON.stringify(head));
    const damaged = await world.cox(['artifacts', 'get', 'evil.0/s1-0/made-0', '-o', 'evil']);
    expect(damaged).toMatchObject({ code: 9, stderr: expect.stringContaining('is damaged') });
    expect(readdirSync(world.workspace)).not.toContain('evil');
  });

  it('completes refs', async () => {
    const words = async (...line: string[]) => (await world.cox(['complete', '--', ...line])).stdout.split(/[\t\n]/);
    expect(await words('artifacts', '')).toEqual(expect.arrayContaining(['get', id]));
    expect(await words('artifacts', 'get', '')).toContain(`${id.split('.')[0]}.`);
    expect(await words('artifacts', 'get', `${id}/s1-0/m`)).toEqual(
      expect.arrayContaining([`${id}/s1-0/made-0`, `${id}/s1-0/made-1`]),
    );
  });

  it('is at the prompt too', async () => {
    const terminal = world.terminal();
    await terminal.line(/^cox>/);
    terminal.enter(`/artifacts ${id}`);
    await terminal.line(/made-0 {2}made {2}page\.png/);
  });
});

describe('a long result', () => {
  it('is printed whole, with --json too, which also has the ref', async () => {
    expect((await world.cox(['result', id])).stdout).toBe(`${answer}\n`);
    const { value } = await world.json<{ output: string; whole: { ref: string; bytes: number } }>(['result', id]);
    expect(value.whole.bytes).toBe(answer.length);
    expect(value.output).toBe(answer);
    expect((await world.cox(['artifact', value.whole.ref])).stdout).toBe(answer);
  });

  it('is printed whole by cox run too', async () => {
    world.model.answer((call) => call.reply(isPlanning(call) ? planOf(['a']) : answer));
    const { stdout, code } = await world.cox(['run', 'say much', '--slots', '1']);
    expect(code).toBe(0);
    expect(stdout).toContain(answer);
    const { value } = await world.json<{ answer: string; whole: { ref: string; bytes: number } }>(['run', 'say much']);
    expect(value.answer).toContain(answer);
    expect(value.whole.bytes).toBeGreaterThanOrEqual(answer.length);
  });

  it('is whole in the library, and begins as it did where the whole is gone', async () => {
    expect((await joined.crew.result(id, AbortSignal.timeout(60_000))).output).toBe(answer);
    const { whole } = (await joined.crew.peekResult(id))!;
    const name = joined.bus.subjects.everyArtifact(id.split('.')[0]);
    await joined.bus.jsm.streams.purge(joined.bus.subjects.artifactStream, { filter: name });
    expect((await joined.crew.result(id, AbortSignal.timeout(60_000))).output).toContain(whole!.ref);
    for (const json of [[], ['--json']]) {
      const { stdout, stderr, code } = await world.cox([...json, 'result', id]);
      expect(stdout).toContain(whole!.ref);
      expect({ stderr, code }).toEqual({ stderr: expect.stringContaining('This is the beginning alone.'), code: 0 });
    }
  });
});
