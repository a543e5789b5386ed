/** Bundles the page of the console: in a checkout when a console starts, and for the package in `npm run build`. */
import { fileURLToPath } from 'node:url';

export interface Chunk {
  readonly name: string;
  readonly code: string;
}

/** The package has no bundler; a checkout has one among its packages for development. */
export async function bundlePage(): Promise<Chunk[]> {
  const { rolldown } = await import('rolldown');
  const bundle = await rolldown({
    input: { page: fileURLToPath(new URL('./page/main.tsx', import.meta.url)) },
    platform: 'browser',
    transform: { jsx: { runtime: 'automatic', importSource: 'preact' } },
    tsconfig: false,
    // The main file of elkjs asks for a package that only Node needs; this one has the same in one file.
    resolve: { alias: { elkjs: 'elkjs/lib/elk.bundled.js' } },
    onLog: (_level, { message }) => {
      throw new Error(`The page of the console is not bundled: ${message}`);
    },
  });
  try {
    const { output } = await bundle.generate({
      format: 'esm',
      minify: true,
      entryFileNames: '[name].js',
      chunkFileNames: 'page-[name]-[hash].js',
    });
    return output.flatMap((part) => (part.type === 'chunk' ? [{ name: part.fileName, code: part.code }] : []));
  } finally {
    await bundle.close();
  }
}
