/** The words that the tools tell a model. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { ToolContext } from '../../../../actors/tools/tool.ts';
import { maxOutputChars } from '../../../../actors/tools/tool.ts';
import { Reader } from '../../../../actors/tools/vision/reader.ts';
import { visionTools } from '../../../../actors/tools/vision/vision-tools.ts';
import { foldersOf } from '../../../../platform/folders.ts';
import { contactForm, pdf } from './pictures.ts';

const log = pino({ level: 'silent' });
const tools = visionTools(new Reader({ folders: foldersOf(process.env), log, onProgress: () => {}, env: process.env }));
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cox-test-'));
});
afterEach(() => rm(folder, { recursive: true }));

const contextOf = (more: Partial<ToolContext> = {}): ToolContext => ({
  ...{ task: 'k3xq.1', workspace: folder, signal: new AbortController().signal, idempotencyKey: 'x' },
  ...more,
});
const run = (name: string, args: object, more: Partial<ToolContext> = {}) =>
  tools.find((tool) => tool.name === name)!.run(args, contextOf(more));

test('a document is read page by page, with where each page is from and how to go on', async () => {
  await writeFile(
    join(folder, 'bill.pdf'),
    pdf(Array.from({ length: 12 }, (_, i) => ({ text: [`This is page ${i + 1} of it.`] }))),
  );
  const { text, sources } = await run('read_document', { document: 'bill.pdf', pages: '2, 4-5' });
  expect(text).toBe(
    [
      'bill.pdf',
      ...['--- page 2 of 12 ---', 'This is page 2 of it.'],
      ...['--- page 4 of 12 ---', 'This is page 4 of it.'],
      ...['--- page 5 of 12 ---', 'This is page 5 of it.'],
      '[There are more pages: go on with pages 6-…]',
    ].join('\n'),
  );
  expect(sources).toEqual(['bill.pdf']);
  const last = await run('read_document', { document: './bill.pdf', pages: '12' });
  expect(last.text).toBe('bill.pdf\n--- page 12 of 12 ---\nThis is page 12 of it.');
  await expect(run('read_document', { document: 'bill.pdf', pages: '13-15' })).rejects.toThrow(
    'bill.pdf has 12 pages, and none of 13-15',
  );
  await expect(run('read_document', { document: 'bill.pdf', pages: '1-30' })).rejects.toThrow('at most 20 are read in one call');
});

test('a document with more text than a model could use is cut, and the tool says so', async () => {
  const page = { text: Array.from({ length: 46 }, (_, i) => `Line ${i} ${'with many words '.repeat(5)}`) };
  await writeFile(join(folder, 'long.pdf'), pdf(Array.from({ length: 5 }, () => page)));
  const { text } = await run('read_document', { document: 'long.pdf' });
  expect(text.length).toBeLessThan(maxOutputChars + 200);
  expect(text).toContain('; ask for fewer pages]');
});

test('of a document that cannot be read the error names it', async () => {
  await writeFile(join(folder, 'broken.pdf'), '%PDF-1.4\n');
  await expect(run('read_document', { document: 'broken.pdf' })).rejects.toThrow(/^broken\.pdf: it is no PDF that can be read/);
  await writeFile(join(folder, 'fake.pdf'), 'MZ and something');
  await expect(run('read_document', { document: 'fake.pdf' })).rejects.toThrow(
    'fake.pdf is application/x-msdownload, which cannot be decoded here',
  );
});

test('a form and the text of a picture are read from an artifact, too', async () => {
  const asked: string[] = [];
  const artifact: ToolContext['artifact'] = async (ref) => {
    asked.push(ref);
    return { name: 'page.png', type: 'image/png', bytes: contactForm() };
  };
  const form = await run('read_form', { picture: '`k3xq.4/s2-0/made-0`' }, { artifact });
  expect(form.text.split('\n')[0]).toBe('Fields in k3xq.4/s2-0/made-0, read by OCR:');
  expect(
    form.text
      .split('\n')
      .slice(1)
      .map((line) => JSON.parse(line).label),
  ).toContain('Phone');
  const { text } = await run('read_image_text', { picture: 'k3xq.4/s2-0/made-0' }, { artifact });
  expect(text).toMatch(
    /^Text in k3xq\.4\/s2-0\/made-0 \(860 × 720 pixels\), read by OCR, which is \d+ % sure of it:\nContact us\n/,
  );
  expect(asked).toEqual(['k3xq.4/s2-0/made-0', 'k3xq.4/s2-0/made-0']);
});

test('a picture is stored once and shown by its name; an artifact is shown as it is', async () => {
  await writeFile(join(folder, 'form.jpg'), contactForm());
  const stored: string[] = [];
  const store: ToolContext['store'] = async ({ name, type, bytes }) => {
    stored.push(`${name} ${type} ${bytes.byteLength}`);
    return { ref: 'k3xq.1/s1-0/made-0', name, type, bytes: bytes.byteLength, sha256: '' };
  };
  const artifact: ToolContext['artifact'] = async () => ({ name: 'page.png', type: 'image/png', bytes: contactForm() });
  const shown = await run('look_at', { picture: 'form.jpg' }, { store, artifact, sees: true });
  expect(shown).toMatchObject({ images: ['k3xq.1/s1-0/made-0'], sources: ['form.jpg'] });
  // The name says JPEG, the content is PNG.
  expect(stored).toEqual([`form.jpg image/png ${contactForm().byteLength}`]);
  const again = await run('look_at', { picture: 'k3xq.4/s2-0/made-0' }, { store, artifact, sees: true });
  expect(again.images).toEqual(['k3xq.4/s2-0/made-0']);
  expect(stored).toHaveLength(1);
});
