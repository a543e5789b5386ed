/** The real packages, fetched into the cache of this machine, on real pictures and documents. */
import { fork } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as delay } from 'node:timers/promises';
import { pino } from 'pino';
import { expect, test } from 'vitest';
import { canvasIn } from '../../../../actors/tools/vision/canvas-work.ts';
import { pictureHead } from '../../../../actors/tools/vision/format.ts';
import { picturesSet } from '../../../../actors/tools/vision/package-sets.ts';
import { Reader, type ReaderOptions } from '../../../../actors/tools/vision/reader.ts';
import { foldersOf } from '../../../../platform/folders.ts';
import { obtainPackages } from '../../../../platform/package-set.ts';
import { animatedGif, brokenPng, checkBoxes, contactForm, grain, noise, pdf, withOrientation } from './pictures.ts';

const folders = foldersOf(process.env);
const log = pino({ level: 'silent' });
const never = new AbortController().signal;
const reader = (more: Partial<ReaderOptions> = {}) =>
  new Reader({ folders, log, onProgress: () => {}, env: process.env, ...more });
const usual = { side: 1568, pixels: 1_150_000, bytes: 3_500_000 };

const canvasFolder = () => obtainPackages(picturesSet, { folder: folders.cache, log, env: process.env });
/** A picture with lines of text, drawn with a font of this machine. */
async function drawnText(lines: readonly string[], type: 'png' | 'jpeg' = 'png'): Promise<Buffer> {
  const { createCanvas } = await canvasIn(await canvasFolder());
  const canvas = createCanvas(1000, 60 + 60 * lines.length);
  const context = canvas.getContext('2d') as ReturnType<typeof canvas.getContext> & {
    font: string;
    fillText(text: string, x: number, y: number): void;
  };
  context.fillStyle = '#fff';
  context.fillRect(0, 0, canvas.width, canvas.height);
  context.fillStyle = '#000';
  context.font = '32px sans-serif';
  for (const [i, line] of lines.entries()) context.fillText(line, 40, 60 + 60 * i);
  return Buffer.from(type === 'png' ? await canvas.encode('png') : await canvas.encode('jpeg', 90));
}

/** Processes that this process has started and that run. */
async function children(pid = process.pid): Promise<number[]> {
  const threads = await readdir(`/proc/${pid}/task`).catch(() => []);
  const lists = await Promise.all(
    threads.map((thread) => readFile(`/proc/${pid}/task/${thread}/children`, 'utf8').catch(() => '')),
  );
  return lists.flatMap((list) => list.split(' ').filter(Boolean).map(Number));
}
async function until(isSo: () => Promise<boolean>): Promise<void> {
  while (!(await isSo())) await delay(20);
}

test('the text of a screenshot is read exactly', async () => {
  const { text, head, confidence } = await reader().text('form.png', contactForm(), never);
  expect(head).toMatchObject({ type: 'image/png', width: 860, height: 720 });
  for (const line of [
    'Contact us',
    'Full name Ada Lovelace',
    'ada@work.example',
    'Please send the invoice again.',
    'Order number: 20931',
  ])
    expect(text).toContain(line);
  expect(confidence).toBeGreaterThan(80);
});

test('a photo that was taken with a turned camera is turned before it is read or sent', async () => {
  const upright = await drawnText(['Receipt number 4711'], 'png');
  const { createCanvas, loadImage } = await canvasIn(await canvasFolder());
  // Turned to the left, with the mark of EXIF that says: turn it to the right.
  const canvas = createCanvas(120, 1000);
  const context = canvas.getContext('2d') as ReturnType<typeof canvas.getContext> & {
    translate(x: number, y: number): void;
    rotate(angle: number): void;
  };
  context.translate(0, 1000);
  context.rotate(-Math.PI / 2);
  context.drawImage(await loadImage(upright), 0, 0, 1000, 120);
  const photo = withOrientation(Buffer.from(await canvas.encode('jpeg', 90)), 6);
  const { text, head } = await reader().text('photo.jpg', photo, never);
  expect(head).toMatchObject({ width: 1000, height: 120, turned: true });
  expect(text).toBe('Receipt number 4711');
  expect(await reader().scaled(photo, usual, never)).toMatchObject({ width: 1000, height: 120 });
});

test('the fields of a form are read from a screenshot, the empty one too', async () => {
  const fields = await reader().fields('form.png', contactForm(), never);
  expect(fields.map(({ label, value }) => [label, value])).toEqual([
    ['Full name', 'Ada Lovelace'],
    ['Email', 'ada@work.example'],
    ['Phone', ''],
    ['Subject', 'Invoice 4711'],
    ['Message', 'Please send the invoice again.\nIt never arrived.'],
    ['Order number', '20931'],
  ]);
  // As the browser says where the field is: 156, 134.4, 358 × 37.
  const { x, y, width, height } = fields[1]!.box;
  for (const [found, real] of [
    [x, 156],
    [y, 134.4],
    [width, 358],
    [height, 37],
  ] as const)
    expect(Math.abs(found - real)).toBeLessThan(6);
});

test('check boxes are read from a screenshot with their state, and letters and bullets are none', async () => {
  const fields = await reader().fields('boxes.png', checkBoxes(), never);
  const boxes = fields.filter(({ value }) => value === 'checked' || value === 'unchecked');
  // The OCR reads a full stop there, too.
  expect(boxes.map(({ label, value }) => [label.replace(/\.$/, ''), value])).toEqual([
    ['Send me the newsletter', 'unchecked'],
    ['I accept the terms', 'checked'],
    ['Gift wrapping', 'unchecked'],
    ['Express delivery', 'checked'],
    ['Remember my choice', 'checked'],
  ]);
});

test('a picture is scaled down to the limits of a backend, and stays PNG where it is small enough', async () => {
  const bytes = await drawnText(['A large picture']);
  const small = await reader().scaled(bytes, { ...usual, side: 500 }, never);
  expect(small).toMatchObject({ type: 'image/png', width: 500, height: 60 });
  expect(await pictureHead('a', small.bytes)).toMatchObject({ width: 500, height: 60 });
  const fewer = await reader().scaled(bytes, { ...usual, pixels: 30_000 }, never);
  expect(fewer.width * fewer.height).toBeLessThanOrEqual(30_000);
  expect((await reader().scaled(bytes, usual, never)).width).toBe(1000);
});

test('a picture that is too long as PNG is sent as JPEG, or smaller', async () => {
  const bytes = grain(800, 600);
  const jpeg = await reader().scaled(bytes, { ...usual, bytes: 150_000 }, never);
  expect(jpeg.type).toBe('image/jpeg');
  expect(jpeg.bytes.byteLength).toBeLessThanOrEqual(150_000);
  const smaller = await reader().scaled(bytes, { ...usual, bytes: 20_000 }, never);
  expect(smaller.bytes.byteLength).toBeLessThanOrEqual(20_000);
  expect(smaller.width).toBeLessThan(800);
});

test('of an animation the first picture is shown', async () => {
  const { bytes, width, height } = await reader().scaled(animatedGif(), usual, never);
  expect([width, height]).toEqual([2, 1]);
  const { createCanvas, loadImage } = await canvasIn(await canvasFolder());
  const canvas = createCanvas(2, 1);
  canvas.getContext('2d').drawImage(await loadImage(Buffer.from(bytes)), 0, 0, 2, 1);
  expect([...canvas.getContext('2d').getImageData(0, 0, 2, 1).data]).toEqual([0, 0, 0, 255, 0, 0, 0, 255]);
});

test('a picture with a good header and nothing good behind it is an error, and not a crash', async () => {
  const broken = brokenPng();
  await expect(reader().scaled(broken, { ...usual, side: 20 }, never)).rejects.toThrow(/cannot be decoded|could not be read/);
  await expect(reader().text('broken.png', broken, never)).rejects.toThrow(/cannot be read|could not be read/);
  expect(await children()).toEqual([]);
});

test('pages of a PDF are read from its text, and a page that is a picture by OCR', async () => {
  const jpeg = { bytes: await drawnText(['Scanned page with 4711', 'and a second line'], 'jpeg'), width: 1000, height: 180 };
  const document = pdf([{ text: ['The first page says hello.', 'It has two lines.'] }, { jpeg }, {}]);
  const { pages, read } = await reader().document(document, [1, 2, 3, 9], never);
  expect(pages).toBe(3);
  expect(read).toEqual([
    { page: 1, text: 'The first page says hello.\nIt has two lines.', from: 'layer' },
    { page: 2, text: expect.stringMatching(/Scanned page with 4711\s+and a second line/), from: 'ocr' },
    { page: 3, text: '', from: 'none' },
  ]);
});

test('a page that is damaged takes nothing from the others', async () => {
  const whole = pdf([{ text: ['The first page is whole.'] }, { text: ['The second one is not.'] }]).toString('latin1');
  // Where the second page belongs, the tree has a content.
  const damaged = whole.replace(/(\/Kids \[\d+ 0 R )\d+ 0 R/, (_, first) => `${first}4 0 R`);
  const { read } = await reader().document(Buffer.from(damaged, 'latin1'), [1, 2], never);
  expect(read).toEqual([
    { page: 1, text: 'The first page is whole.', from: 'layer' },
    { page: 2, text: expect.stringMatching(/./), from: 'damaged' },
  ]);
  const circle = whole.replace('/Type /Page /Parent 2 0 R', '/Type /Pages /Count 1 /Kids [2 0 R]   ');
  expect((await reader().document(Buffer.from(circle, 'latin1'), [1], never)).read[0]).toMatchObject({
    text: expect.stringContaining('circular'),
    from: 'damaged',
  });
});

test('of ten thousand pages those that are asked for are read', async () => {
  const many = pdf(Array.from({ length: 10_000 }, (_, i) => ({ text: [`This is page number ${i + 1}.`] })));
  const { pages, read } = await reader().document(many, [1, 9_999], never);
  expect(pages).toBe(10_000);
  expect(read.map(({ text }) => text)).toEqual(['This is page number 1.', 'This is page number 9999.']);
});

test('an encrypted PDF is refused with the reason', async () => {
  const hex = 'ab'.repeat(32);
  const locked = pdf(
    [{ text: ['Secret.'] }],
    '',
    `/ID [<${'00'.repeat(16)}> <${'00'.repeat(16)}>] /Encrypt << /Filter /Standard /V 1 /R 2 /O <${hex}> /U <${hex}> /P -4 >>`,
  );
  await expect(reader().document(locked, [1], never)).rejects.toThrow('it is encrypted, and needs a password');
});

test('a script in a PDF is never run', async () => {
  const scripted = pdf([{ text: ['This page has a script.'] }], '/OpenAction << /S /JavaScript /JS (while \\(true\\) {}) >>');
  const { read } = await reader({ maxMs: 60_000 }).document(scripted, [1], never);
  expect(read[0]).toMatchObject({ text: 'This page has a script.', from: 'layer' });
});

test.each([
  ['is cut off', pdf([{ text: ['A page that is long enough.'] }]).subarray(0, 90)],
  ['is only a header', Buffer.from('%PDF-1.7\nnothing')],
])('a PDF that %s is an error, and not a crash', async (_how, bytes) => {
  await expect(reader().document(bytes, [1], never)).rejects.toThrow(/no PDF that can be read|could not be read/);
});

test('what takes too long or too much memory is ended, and the reason is said', async () => {
  const long = noise(2_500, 2_500);
  await expect(reader({ maxMs: 700 }).text('noise.png', long, never)).rejects.toThrow(
    /could not be read: it took longer than 0.7 s.*try a smaller one/,
  );
  await expect(reader({ maxMemory: 60_000_000 }).text('noise.png', long, never)).rejects.toThrow(
    /it took more than 60 MB of memory/,
  );
  await until(async () => (await children()).length === 0);
});

test('an abort ends the process of the reading', async () => {
  const given = new AbortController();
  const reading = reader().text('noise.png', noise(2_500, 2_500), given.signal);
  await until(async () => (await children()).length > 0);
  given.abort(new Error('steered'));
  await expect(reading).rejects.toThrow('steered');
  await until(async () => (await children()).length === 0);
});

test('a reading ends with its node, also when that is killed', async () => {
  const node = fork(new URL('./reading-node.ts', import.meta.url), { env: process.env });
  const left = await new Promise<number[]>((resolve) => {
    node.once(
      'message',
      () => void until(async () => (await children(node.pid)).length > 0).then(async () => resolve(await children(node.pid))),
    );
  });
  node.kill('SIGKILL');
  await until(async () =>
    (await Promise.all(left.map((pid) => readFile(`/proc/${pid}/cmdline`, 'utf8').catch(() => '')))).every((it) => it === ''),
  );
});
