/** The open page as it is now, for the operator who is asked whether an act on it took place (`Tool.look`). */
import type { ToolContext } from '../tool.ts';
import { pictureOf } from './gate.ts';
import { shownUrl } from './page-words.ts';
import { type BrowserTools, siteOf, strayed } from './site.ts';

export const pageNow =
  (tools: BrowserTools) =>
  async (_: unknown, context: ToolContext): Promise<string> => {
    // The page that the call was made on may have been lost with it.
    const site = await siteOf(tools, { ...context, idempotencyKey: `${context.idempotencyKey}:look` });
    const why = strayed(site);
    if (why !== null) return why;
    return [`The page now: ${shownUrl(site.page.url(), 100)}`, ...(await pictureOf(site.page, context))].join('. ');
  };
