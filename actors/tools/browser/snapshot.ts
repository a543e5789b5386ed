import { z } from 'zod';
import { defineTool, type Tool } from '../tool.ts';
import { noticesOf } from './acted.ts';
import { nearestTo } from './element.ts';
import { pagesLine } from './open-pages.ts';
import { fromPage, quotedLine } from './page-words.ts';
import { lastSight, newsOf, nodeWithRef, partOfView, type Sight, see, wholeView } from './sight.ts';
import { type BrowserTools, mustNotHaveStrayed, openSite } from './site.ts';

interface Args {
  readonly part?: string | undefined;
  readonly from?: number | undefined;
}

export const snapshotTool = (tools: BrowserTools): Tool =>
  defineTool<Args>({
    name: 'snapshot',
    description: 'Look at the open page: its headings, fields, buttons and links, each with a ref such as e5.',
    args: z.object({
      part: z.string().max(200).optional().describe('only the part with this ref, or the lines with these words'),
      from: z.int().min(1).max(1_000_000).optional().describe('line to go on with'),
    }),
    effects: 'none',
    run: async ({ part, from }, context) => {
      const site = await openSite(tools, context);
      const isRef =
        part !== undefined && lastSight(site.page) !== null && nodeWithRef(lastSight(site.page)!, part.trim()) !== null;
      const sight = await see(site.page, context.signal, isRef ? undefined : part?.trim());
      mustNotHaveStrayed(site, sight.url);
      const { page } = site;
      const view = part
        ? partOf(sight, part, from ?? 1)
        : from !== undefined
          ? wholeView(page, sight, from)
          : newsOf(page, sight);
      return { text: [...noticesOf(site), view, ...pagesLine(site)].join('\n'), sources: [sight.url] };
    },
  });

function partOf(sight: Sight, part: string, from: number): string {
  const node = nodeWithRef(sight, part.trim());
  if (node) return [fromPage(sight.url), partOfView(sight.of(node), from)].join('\n');
  const words = part.trim().toLocaleLowerCase();
  const found = sight.whole().filter(({ text }) => text.toLocaleLowerCase().includes(words));
  if (found.length === 0) throw new Error(`nothing on the page has ${JSON.stringify(part)}. ${nearestTo(sight, part)}`);
  return [fromPage(sight.url), quotedLine('…'), partOfView(found, from), ...(sight.about === null ? [] : [sight.about])].join(
    '\n',
  );
}
