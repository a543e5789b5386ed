/** The files of the page, in memory, by the path under which the console serves them. */
import { readdirSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { bundlePage } from './bundle-page.ts';

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
}

const types: Readonly<Record<string, string>> = {
  '.html': 'text/html; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

const folder = new URL('./page/', import.meta.url);
/** The package has the page as `npm run build` has bundled it. */
const isBuilt = import.meta.url.endsWith('.js');

export async function pageFiles(): Promise<ReadonlyMap<string, PageFile>> {
  const names = readdirSync(folder).filter((name) => /\.(html|css|svg)$/.test(name) || (isBuilt && name.endsWith('.js')));
  const kept = names.map((name) => [name, readFileSync(new URL(name, folder))] as const);
  const bundled = isBuilt ? [] : (await bundlePage()).map(({ name, code }) => [name, Buffer.from(code)] as const);
  return new Map(
    [...kept, ...bundled].map(([name, body]) => [
      name === 'index.html' ? '/' : `/${name}`,
      { type: types[extname(name)]!, body },
    ]),
  );
}
