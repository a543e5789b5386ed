/** The tools that act in a browser. One page is open for each task; docs/adr/0035 says why they are these eight. */
import type { Tool } from '../tool.ts';
import { clickTool, pressTool } from './click.ts';
import { fillTool, selectTool } from './fill.ts';
import { gotoTool } from './goto.ts';
import { extractTool, screenshotTool } from './read-page.ts';
import { type BrowserTools, isOfPlaywright, plainError } from './site.ts';
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

/** An error of playwright-core has a log of its attempts, with colours; a model is told the first sentence. */
function inPlainWords(tool: Tool): Tool {
  const plainly = <T>(work: Promise<T>): Promise<T> =>
    work.catch((cause: unknown) => {
      throw isOfPlaywright(cause) ? new Error(plainError(cause), { cause }) : cause;
    });
  const { run, preview } = tool;
  return {
    ...tool,
    run: (args, context) => plainly(run(args, context)),
    ...(preview && { preview: (args, context) => plainly(preview(args, context)) }),
  };
}
