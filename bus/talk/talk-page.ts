/** The last lines of the stored talk, as the verb `talk` lists them: as many as fit into one message of the server. */
import { z } from 'zod';
import type { Bus } from '../bus.ts';
import { infoIfThere } from '../capacity/stream-limits.ts';
import type { TalkLine } from '../messages.ts';
import { retryRequest } from '../retry.ts';
import { Talk } from './talk.ts';

export const TalkQuery = z.object({ last: z.number().int().min(1).max(1_000).default(100).describe('Most lines.') }).strict();
export type TalkQuery = z.infer<typeof TalkQuery>;

export interface TalkPage {
  /** Oldest first. */
  readonly lines: readonly TalkLine[];
  /** Number of earlier lines, which are left out. */
  readonly more: number;
}

/** A crew whose primary was never talked to may have no talk. */
export async function talkPage(bus: Bus, { last }: TalkQuery, maxBytes: number): Promise<TalkPage> {
  const { talkStream } = bus.subjects;
  if (!(await retryRequest(bus, 'the talk', () => infoIfThere(bus, talkStream)))) return { lines: [], more: 0 };
  const all = (await new Talk(bus).lines()).map(({ line }) => line);
  const lines: TalkLine[] = [];
  let left = maxBytes;
  for (const line of all.slice(-last).reverse()) {
    left -= Buffer.byteLength(JSON.stringify(line)) + 1;
    if (left < 0) break;
    lines.unshift(line);
  }
  return { lines, more: all.length - lines.length };
}
