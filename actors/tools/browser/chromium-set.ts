/**
 * The Chromium that Coxswain can fetch: the npm package `@sparticuz/chromium`, a headless Chromium for Linux as brotli files. They
 * are unpacked beside the package in the cache and then removed.
 */
import { createReadStream, createWriteStream, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createBrotliDecompress } from 'node:zlib';
import { cachedPackages, importFrom, type PackageSet, shippedSet } from '../../../platform/package-set.ts';

const inPackage = 'node_modules/@sparticuz/chromium/bin';
const unpacked = 'chromium';

/** The fonts of the machine, if it has any, and the one of the package. Without a font a page has no visible text. */
const fontsConf = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <include ignore_missing="yes">/etc/fonts/fonts.conf</include>
  <dir prefix="relative">fonts</dir>
</fontconfig>
`;

export const chromiumVersion = 153;

export const chromiumSet: PackageSet = {
  name: `Chromium ${chromiumVersion}`,
  folder: shippedSet('chromium'),
  bytes: 75_000_000,
  finishBytes: 230_000_000,
  async finish(folder, signal) {
    const target = join(folder, unpacked);
    mkdirSync(target, { recursive: true });
    await unpack(join(folder, inPackage, 'chromium.br'), createWriteStream(join(target, 'chromium'), { mode: 0o755 }), signal);
    const { extract } = (await importFrom(folder, 'tar-fs')) as { extract: Extract };
    await unpack(join(folder, inPackage, 'swiftshader.tar.br'), extract(target, { chown: false }), signal);
    await unpack(join(folder, inPackage, 'fonts.tar.br'), extract(target, { chown: false }), signal);
    writeFileSync(join(target, 'fonts.conf'), fontsConf);
    rmSync(join(folder, inPackage), { recursive: true });
  },
};

type Extract = (folder: string, options: { chown: false }) => NodeJS.WritableStream;

const unpack = (file: string, target: NodeJS.WritableStream, signal: AbortSignal): Promise<void> =>
  pipeline(createReadStream(file), createBrotliDecompress({ chunkSize: 1 << 20 }), target, { signal });

export interface FetchedChromium {
  readonly path: string;
  /** The variables that this Chromium needs in its environment. */
  readonly env: Readonly<Record<string, string>>;
}

/** The Chromium in the cache, or null. */
export function fetchedChromium(cacheFolder: string): FetchedChromium | null {
  const folder = cachedPackages(chromiumSet, cacheFolder);
  return folder ? chromiumIn(folder) : null;
}

/** The Chromium in the folder of an installed set. */
export const chromiumIn = (folder: string): FetchedChromium => ({
  path: join(folder, unpacked, 'chromium'),
  env: { FONTCONFIG_FILE: join(folder, unpacked, 'fonts.conf') },
});

/** Whether the package has a Chromium for this machine. */
export const isChromiumFetchable = (platform = process.platform, arch: string = process.arch): boolean =>
  platform === 'linux' && (arch === 'x64' || arch === 'arm64');
