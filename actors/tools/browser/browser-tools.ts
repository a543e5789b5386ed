/** The tools that act in a browser. One page is open for each task; docs/adr/0035 says why they are these eight. */
import type { Tool } from '../tool.ts';
import { clickTool, pressTool } from './click.ts';
import { fillTool, selectTool } from './fill.ts';
import { gotoTool } from './goto.ts';
import { extractTool, screenshotTool } from './read-page.ts';
import type { BrowserTools } from './site.ts';
import { snapshotTool } from './snapshot.ts';

export const browserTools = (tools: BrowserTools): Tool[] => [
  gotoTool(tools),
  snapshotTool(tools),
  clickTool(tools),
  fillTool(tools),
  selectTool(tools),
  pressTool(tools),
  screenshotTool(tools),
  extractTool(tools),
];
