import { deflateSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { headOf, pictureHead } from '../../../../actors/tools/vision/format.ts';
import { pageNumbers } from '../../../../actors/tools/vision/page-numbers.ts';
import { animatedGif, contactForm, pdf, png } from './pictures.ts';

test('a format is told by the content, whatever the name says', async () => {
  expect(await headOf('photo.jpg', contactForm())).toEqual({ kind: 'picture', type: 'image/png', width: 860, height: 720 });
  expect(await headOf('a.png', animatedGif())).toEqual({ kind: 'picture', type: 'image/gif', width: 2, height: 1 });
  expect(await headOf('notes.txt', pdf([{ text: ['Hello'] }]))).toEqual({ kind: 'pdf' });
  await expect(pictureHead('scan.png', pdf([{}]))).rejects.toThrow('scan.png is a PDF and no picture; use read_document');
});

test.each([
  ['a text', Buffer.from('just text'), /neither a picture nor a PDF, whatever its name says\. Usable are PNG/],
  ['nothing', Buffer.alloc(0), /is empty/],
  ['an archive', Buffer.from([0x50, 0x4b, 3, 4, ...Buffer.alloc(60)]), /is application\/zip, which cannot be decoded here/],
  ['SVG', Buffer.from('<svg xmlns="http://www.w3.org/2000/svg"><script>x</script></svg>'), /is SVG, which is text.*read_file/],
  ['SVG with a prolog', Buffer.from('<?xml version="1.0"?>\n<svg width="1"/>'), /is SVG/],
  ['a header and nothing else', png(4, 4).subarray(0, 20), /its header has no width and height: it is damaged|cut off/],
])('%s that is called a picture is refused, and the reason says so', async (_what, bytes, words) => {
  await expect(headOf('a.png', bytes)).rejects.toThrow(words);
});

test('a picture that would unpack to gigabytes is refused by its header, before anything is decoded', async () => {
  const bomb = png(1, 1, { width: 60_000, height: 60_000 });
  expect(bomb.length).toBeLessThan(100);
  await expect(headOf('bomb.png', bomb)).rejects.toThrow(
    'bomb.png would have 60000 × 60000 pixels when decoded; at most 50000000 are',
  );
});

test('a file of more than 50 MB is refused before it is looked at', async () => {
  const large = Buffer.alloc(50_000_001);
  contactForm().copy(large);
  await expect(headOf('large.png', large)).rejects.toThrow(/has 50000001 bytes; at most 50000000 are read/);
});

const jpeg = (...segments: readonly number[]): Buffer =>
  Buffer.from([...[0xff, 0xd8, 0xff, 0xe0, 0, 16, 0x4a, 0x46, 0x49, 0x46, 0, 1, 1, 0, 0, 1, 0, 1, 0, 0], ...segments]);
const frame = [0xff, 0xc0, 0, 11, 8, 0, 9, 0, 16, 1, 1, 0x11, 0];
const scan = [0xff, 0xda, 0, 8, 1, 1, 0, 0, 63, 0, 1, 2, 3];
/** A thumbnail in the header, with an end of its own. */
const thumbnail = [0xff, 0xe1, 0, 8, 0xff, 0xda, 1, 2, 0xff, 0xd9];

test('a picture whose end is missing is refused, because decoders show nothing in its place', async () => {
  const whole = contactForm();
  await expect(headOf('half.png', whole.subarray(0, whole.length / 2))).rejects.toThrow('half.png is cut off');
  expect(await headOf('a.jpg', jpeg(...thumbnail, ...frame, ...scan, 0xff, 0xd9))).toMatchObject({ width: 16, height: 9 });
  await expect(headOf('half.jpg', jpeg(...thumbnail, ...frame, ...scan))).rejects.toThrow('half.jpg is cut off');
});

test('a header of megabytes of nothing does not hold the node up', async () => {
  // A chunk that unpacks to a gigabyte is not unpacked here.
  const bytes = Buffer.concat([png(4, 4).subarray(0, 33), deflateSync(Buffer.alloc(10_000_000)), png(4, 4).subarray(33)]);
  await expect(headOf('odd.png', bytes)).resolves.toMatchObject({ width: 4 });
});

test('pages are read as a model writes them', () => {
  expect(pageNumbers()).toEqual([1, 2, 3, 4, 5]);
  expect(pageNumbers('7, 2,9-10')).toEqual([2, 7, 9, 10]);
  expect(pageNumbers('3 – 4')).toEqual([3, 4]);
  for (const wrong of ['', '0', '5-2', 'all', '1-', '-3', '1e3']) expect(() => pageNumbers(wrong)).toThrow(/write them as 1-5/);
  for (const many of ['1-21', '1-10,20-40', '1-9999999']) expect(() => pageNumbers(many)).toThrow(/too many|cannot be read/);
});
