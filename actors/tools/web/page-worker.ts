/** The thread in which pages are read, within a process of its own. It keeps nothing between two jobs. */
import { parentPort } from 'node:worker_threads';
import type { PageJob, ReadPage } from './page-markdown.ts';

/** Whether the `robots.txt` of a site lets the agent read an address. */
export interface RobotsJob {
  readonly robotsUrl: string;
  readonly robots: string;
  readonly url: string;
  readonly agent: string;
}
export type Job = { readonly page: PageJob } | { readonly robots: RobotsJob };
export type Done = { readonly page: ReadPage } | { readonly allowed: boolean } | { readonly failed: string };

parentPort?.on('message', async (job: Job) => {
  parentPort?.postMessage(await done(job));
});

async function done(job: Job): Promise<Done> {
  try {
    if ('page' in job) return { page: (await import('./page-markdown.ts')).pageMarkdown(job.page) };
    const { robotsUrl, robots: rules, url, agent } = job.robots;
    // The types of the package say that it exports an object with the function; it exports the function.
    const parse = (await import('robots-parser')).default as unknown as typeof import('robots-parser').default;
    return { allowed: parse(robotsUrl, rules).isAllowed(url, agent) ?? true };
  } catch (cause) {
    return { failed: cause instanceof Error ? cause.message : String(cause) };
  }
}
