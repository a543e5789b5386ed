/** Pages that are made to stop their reader: it gives up, the node goes on, and the next page is read. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { afterEach, describe, expect, it, test } from 'vitest';
import { PageReader, type PageReaderLimits } from '../../../../actors/tools/web/page-reader.ts';

const open: PageReader[] = [];
const readerWith = (limits: PageReaderLimits = {}): PageReader => {
  const reader = new PageReader(limits);
  open.push(reader);
  return reader;
};
afterEach(async () => {
  for (const reader of open.splice(0)) await reader.close();
});
const never = new AbortController().signal;
const read = (reader: PageReader, html: string, signal = never) =>
  reader.page({ html, url: 'https://site.test/', all: false }, signal);
const isAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    return false;
  }
};

const many = (text: string, bytes = 5_000_000) => text.repeat(Math.ceil(bytes / text.length));
describe('a page of 5 MB', () => {
  it.each([
    ['nested elements', many('<div>')],
    ['elements side by side', many('<p>a, b')],
    ['links', many('<a href=x>y</a>')],
    ['beginnings of tags', many('<')],
    ['nested tables', many('<table><tr><td>')],
    ['one tag with a million attributes', `<p ${Array.from({ length: 500_000 }, (_, i) => `a${i}`).join(' ')}>`],
    ['rules that hide', `<style>${many('a b c d e f{display:none}', 2_000_000)}</style>${many('<a><b><c><d><e><f>', 2_000_000)}`],
  ])('of %s ends in the text or in an error, and the node is not held up', async (_, html) => {
    const reader = readerWith({ ms: 1_000, heapMb: 256 });
    let beats = 0;
    const heart = setInterval(() => beats++, 10);
    const outcome = await read(reader, html).then(
      () => 'read',
      ({ code, message }) => `${code} ${message}`,
    );
    clearInterval(heart);
    expect(outcome).toMatch(/^(read|too-complex The page could not be read \()/);
    expect(beats).toBeGreaterThan(0);
    expect((await read(readerWith(), '<p>next')).markdown).toBe('next');
  });
});

test('a page that fills the memory ends its reader, and the next page has another one', async () => {
  const reader = readerWith({ ms: 60_000, heapMb: 40 });
  await read(reader, '<p>first');
  const { pid } = reader;
  await expect(read(reader, many('<p>a, b'))).rejects.toMatchObject({ code: 'too-complex' });
  expect((await read(reader, '<p>next')).markdown).toBe('next');
  expect(reader.pid).not.toBe(pid);
});

test('pages are read one after the other by one process, which ends when none comes', async () => {
  const reader = readerWith({ idleMs: 50 });
  const pages = await Promise.all(Array.from({ length: 20 }, (_, i) => read(reader, `<p>page ${i}`)));
  expect(pages.map(({ markdown }) => markdown)).toEqual(Array.from({ length: 20 }, (_, i) => `page ${i}`));
  const pid = reader.pid!;
  while (isAlive(pid)) await new Promise(setImmediate);
  expect(reader.pid).toBeNull();
});

test('a call that is not needed any more ends the reading, and not those after it', async () => {
  const reader = readerWith({ ms: 60_000 });
  const stop = new AbortController();
  const first = read(reader, many('<div>'), stop.signal);
  const second = read(reader, '<p>next');
  const given = read(reader, '<p>never', AbortSignal.abort(new Error('given up')));
  stop.abort(new Error('corrected'));
  await expect(first).rejects.toThrow('corrected');
  await expect(given).rejects.toThrow('given up');
  expect((await second).markdown).toBe('next');
});

test('closing ends the process, also in the middle of a page', async () => {
  const reader = readerWith({ ms: 60_000 });
  await read(reader, '<p>first');
  const pid = reader.pid!;
  const busy = read(reader, many('<div>')).catch((error) => error);
  await new Promise((resolve) => setImmediate(resolve));
  await reader.close();
  await reader.close();
  expect(await busy).toBeInstanceOf(Error);
  expect(isAlive(pid)).toBe(false);
  await expect(read(reader, '<p>late')).rejects.toThrow();
});

test('no reader survives its node, also when the node is killed in the middle of a page', async () => {
  const module = new URL('../../../../actors/tools/web/page-reader.ts', import.meta.url).href;
  const code = `
    const { PageReader } = await import(${JSON.stringify(module)});
    const reader = new PageReader({ ms: 600_000, heapMb: 1_000 });
    const never = new AbortController().signal;
    await reader.page({ html: '<p>x', url: 'https://a.test/', all: false }, never);
    console.log(reader.pid);
    await reader.page({ html: '<div>'.repeat(1_000_000), url: 'https://a.test/', all: false }, never);`;
  const node = spawn(process.execPath, ['--input-type=module', '-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [first] = (await once(node.stdout, 'data')) as [Buffer];
  const pid = Number(first.toString());
  expect(isAlive(pid)).toBe(true);
  node.kill('SIGKILL');
  await once(node, 'exit');
  while (isAlive(pid)) await new Promise(setImmediate);
});
