import { expect, it } from 'vitest';
import type { Asset } from '../../platform/asset.ts';
import { progressBar, sizeOf } from '../../platform/progress.ts';

const asset: Asset = { name: 'a model', file: 'm', bytes: 2_000_000_000, sha256: '', sources: [] };

function screen(isTTY: boolean): { stream: NodeJS.WriteStream; text: () => string } {
  let text = '';
  const stream = { isTTY, columns: 80, write: (piece: string) => (text += piece) };
  return { stream: stream as unknown as NodeJS.WriteStream, text: () => text };
}

it('sizes are in decimal units, as on disks and download sites', () => {
  expect([0, 999, 1_000, 18_848_283, 491_400_064, 1_117_320_768].map(sizeOf)).toEqual([
    '0 B',
    '999 B',
    '1.0 kB',
    '18.8 MB',
    '491 MB',
    '1.1 GB',
  ]);
});

it('the bar shows the size before the first byte', () => {
  const { stream, text } = screen(false);
  progressBar(stream).onProgress({ asset, doneBytes: 0, totalBytes: asset.bytes, from: 'host' });
  expect(text()).toBe('Fetching a model, 2.0 GB\n');
});

it('the bar prints a plain line every ten percent without a terminal', () => {
  const { stream, text } = screen(false);
  const bar = progressBar(stream);
  for (let done = 0; done <= 100; done += 1)
    bar.onProgress({ asset, doneBytes: (asset.bytes * done) / 100, totalBytes: asset.bytes, from: 'host' });
  expect(
    text()
      .split('\n')
      .filter((line) => line.includes('%')),
  ).toHaveLength(10);
});

it('the bar keeps to one line of a terminal, within its width, and ends it', () => {
  const { stream, text } = screen(true);
  const bar = progressBar(stream);
  bar.onProgress({ asset, doneBytes: 500_000_000, totalBytes: asset.bytes, from: 'h'.repeat(200) });
  bar.end();
  bar.end();
  const line = text().split('\n')[1] ?? '';
  expect(line).toContain(' 25 %');
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the terminal's own "clear to the end of the line"
  expect(line.replace(/\r\x1b\[K/, '').length).toBeLessThan(80);
  expect(text().endsWith('\n') && !text().endsWith('\n\n')).toBe(true);
});
