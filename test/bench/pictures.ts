/** Time to read and to scale pictures and documents, with the packages in the cache. `npm run bench:pictures` */
import { pino } from 'pino';
import { Reader } from '../../actors/tools/vision/reader.ts';
import { foldersOf } from '../../platform/folders.ts';
import { contactForm, grain, pdf } from '../actors/tools/vision/pictures.ts';

const runs = 7;
const reader = new Reader({
  ...{ folders: foldersOf(process.env), log: pino({ level: 'silent' }), env: process.env },
  onProgress: () => {},
});
const { signal } = new AbortController();

async function median(what: string, work: () => Promise<unknown>): Promise<void> {
  await work();
  const times: number[] = [];
  for (let run = 0; run < runs; run++) {
    const begin = performance.now();
    await work();
    times.push(performance.now() - begin);
  }
  const sorted = times.sort((a, b) => a - b);
  console.log(`${what}: ${Math.round(sorted[runs >> 1]!)} ms (${Math.round(sorted[0]!)} to ${Math.round(sorted.at(-1)!)})`);
}

const screenshot = contactForm();
const photo = grain(4_000, 3_000);
const pages = pdf(
  Array.from({ length: 5 }, (_, i) => ({ text: Array.from({ length: 40 }, (_, n) => `Line ${n} of page ${i + 1}.`) })),
);
const usual = { side: 1568, pixels: 1_150_000, bytes: 3_500_000 };
await median('text of a screenshot of 860 × 720', () => reader.text('screenshot', screenshot, signal));
await median('fields of the form in it', () => reader.fields('screenshot', screenshot, signal));
await median('scaling it to 430 × 360', () => reader.scaled(screenshot, { ...usual, side: 430 }, signal));
await median('scaling a photo of 12 megapixels to 1.15', () => reader.scaled(photo, usual, signal));
await median('five pages of text of a PDF', () => reader.document(pages, [1, 2, 3, 4, 5], signal));
