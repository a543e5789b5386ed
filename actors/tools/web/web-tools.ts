/** The tools of a node that read the web. */
import type { Tool } from '../tool.ts';
import { type FetchPageLimits, fetchPageTool } from './fetch-page.ts';
import { PageReader } from './page-reader.ts';
import { ReadPages } from './read-pages.ts';
import { Robots } from './robots.ts';
import { Visits } from './visits.ts';
import type { WebPolicy } from './web-policy.ts';

export interface WebTools {
  readonly tools: readonly Tool[];
  /** Ends what the tools have started. Idempotent. */
  close(): Promise<void>;
}
export interface WebToolsOptions {
  /** The present one. */
  readonly policy: () => WebPolicy;
  readonly limits?: FetchPageLimits;
  /** Default: a reader of its own. */
  readonly reader?: PageReader;
}

export function webTools({ policy, limits, reader = new PageReader() }: WebToolsOptions): WebTools {
  const shared = { policy, reader, robots: new Robots(reader), visits: new Visits(), pages: new ReadPages() };
  return {
    tools: [fetchPageTool({ ...shared, ...(limits && { limits }) })],
    close: () => reader.close(),
  };
}
