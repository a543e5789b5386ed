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
];
