/** The tools that act in a browser. One page is open for each task; docs/adr/0035 says why they are these eight. */
import { messageOf } from '../../../platform/errors.ts';
import { Denied, InDoubt, Outdated, type Tool, type ToolContext } from '../tool.ts';
import { noticesOf } from './acted.ts';
import { clickTool, pressTool } from './click.ts';
import { fillTool, selectTool } from './fill.ts';
import { gotoTool } from './goto.ts';
import { extractTool, screenshotTool } from './read-page.ts';
import { type BrowserTools, isOfPlaywright, plainError, siteAt } from './site.ts';
import { snapshotTool } from './snapshot.ts';

export const browserTools = (tools: BrowserTools): Tool[] =>
  [
    gotoTool(tools),
    snapshotTool(tools),
    clickTool(tools),
    fillTool(tools),
    selectTool(tools),
    pressTool(tools),
    screenshotTool(tools),
    extractTool(tools),
  ].map(inPlainWords);

/**
 * An error of playwright-core has a log of its attempts, with colours; a model is told the first sentence, and with it what the
 * browser has noticed, since that often is the reason.
 */
function inPlainWords(tool: Tool): Tool {
  const plainly = <T>(work: Promise<T>, context: ToolContext): Promise<T> =>
    work.catch((cause: unknown) => {
      // The model does not read these two.
      if (cause instanceof Outdated || cause instanceof InDoubt) throw cause;
      const site = siteAt(context);
      const notices = site && !context.signal.aborted ? noticesOf(site) : [];
      if (!isOfPlaywright(cause) && notices.length === 0) throw cause;
      const why = isOfPlaywright(cause) ? plainError(cause) : messageOf(cause);
      const text = [why, ...notices].join('\n');
      throw cause instanceof Denied ? new Denied(text, { cause }) : new Error(text, { cause });
    });
  const { run, preview } = tool;
  return {
    ...tool,
    run: (args, context) => plainly(run(args, context), context),
    ...(preview && { preview: (args, context) => plainly(preview(args, context), context) }),
  };
}
