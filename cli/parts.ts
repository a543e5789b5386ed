/** The parts of Coxswain that are fetched on first use, and that `cox doctor --install` fetches before. */
import type { DownloadOptions } from '../platform/download.ts';

export interface Part {
  readonly name: string;
  readonly summary: string;
  /**
   * Fetches the part into the cache unless it is there.
   * @returns the place and the version of it, for the operator.
   * @throws CoxError those of a download.
   */
  readonly install: (options: DownloadOptions) => Promise<string>;
}

const summaries = {
  ocr: 'tesseract.js, to read text in pictures',
  documents: 'pdfjs-dist, to read PDFs',
  pictures: '@napi-rs/canvas, to scale pictures',
};

export const parts: readonly Part[] = [
  {
    name: 'browser',
    summary: 'Chromium, for agents that browse',
    install: async (options) => {
      const { fetchBrowser } = await import('../actors/tools/browser/find-browser.ts');
      const { version, path } = await fetchBrowser(options);
      return `${version} at ${path}`;
    },
  },
  ...(['ocr', 'documents', 'pictures'] as const).map(
    (name): Part => ({
      name,
      summary: summaries[name],
      install: async (options) => {
        const [{ readingSets }, { obtainPackages }] = await Promise.all([
          import('../actors/tools/vision/package-sets.ts'),
          import('../platform/package-set.ts'),
        ]);
        return `${readingSets[name].name} at ${await obtainPackages(readingSets[name], options)}`;
      },
    }),
  ),
  {
    name: 'tracing',
    summary: 'OpenTelemetry, to send traces and figures to a collector',
    install: async (options) => {
      const [{ tracingSet }, { obtainPackages }] = await Promise.all([
        import('../actors/tracing/otlp.ts'),
        import('../platform/package-set.ts'),
      ]);
      return `${tracingSet.name} at ${await obtainPackages(tracingSet, options)}`;
    },
  },
];
