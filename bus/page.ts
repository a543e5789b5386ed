/**
 * Pages of a list that grows: at most `limit` rows, and no more than one message of the server can carry. `after` is the `next` of
 * the page before. For a list in the order of time it names a place in that order and not a row, so the next page begins there
 * although rows were purged meanwhile.
 */
import { z } from 'zod';
import { CoxError } from '../platform/errors.ts';
import { fittedJson } from './log/fitted.ts';
import { quoted } from './parse-message.ts';

/** Most rows of a page. */
export const maxPageRows = 10_000;

export const PageQuery = z
  .object({
    limit: z.number().int().min(1).max(maxPageRows).optional().describe('Most rows of the page. Default: as many as fit.'),
    after: z.string().min(1).max(256).optional().describe('The `next` of the page before. Default: the first page.'),
  })
  .strict();
export type PageQuery = z.infer<typeof PageQuery>;

export interface Page<Row> {
  readonly rows: readonly Row[];
  /** `after` of the next page; null: there are no more rows. */
  readonly next: string | null;
  /** Number of rows behind this page. */
  readonly more: number;
}

interface Layout<Item, Row> {
  /** Makes the row that is shown. Called for the rows of the page only. */
  readonly rowOf: (item: Item) => Row;
  /** Most bytes that the rows have as JSON. Default: no limit, as for a page that does not leave the process. */
  readonly maxBytes?: number | undefined;
}

/** A page of items that are in their order, from the item at index `from` on. */
export function pageFrom<Item, Row>(
  items: readonly Item[],
  from: number,
  { limit = maxPageRows }: PageQuery,
  { rowOf, maxBytes = Number.POSITIVE_INFINITY, nameOf }: Layout<Item, Row> & { readonly nameOf: (item: Item) => string },
): Page<Row> {
  const rows: Row[] = [];
  let left = maxBytes;
  for (const item of items.slice(from, from + limit)) {
    const row = rowOf(item);
    left -= sizeOf(row, left);
    if (left < 0 && rows.length > 0) break;
    // A row that is too large for any page goes alone, with its texts cut.
    rows.push(left < 0 ? JSON.parse(fittedJson(row, maxBytes)) : row);
  }
  const end = from + rows.length;
  const more = Math.max(0, items.length - end);
  return { rows, next: more > 0 ? nameOf(items[end - 1]!) : null, more };
}

/** Bytes of a row in a JSON array, with its comma. Not measured where there is no limit. */
const sizeOf = (row: unknown, left: number): number =>
  left === Number.POSITIVE_INFINITY ? 0 : Buffer.byteLength(JSON.stringify(row)) + 1;

/** A place in the order of time. Items of the same time are in the order of their ids, numbers by value. */
export interface Place {
  /** ISO 8601. */
  readonly at: string;
  readonly id: string;
}

/**
 * A page of items in the order of their time, oldest first. An item that is added later comes later, so who reads to the end meets
 * every item once.
 * @throws CoxError `bad-cursor`.
 */
export function pageInTime<Item, Row>(
  items: readonly Item[],
  query: PageQuery,
  { placeOf, rowOf, maxBytes }: Layout<Item, Row> & { readonly placeOf: (item: Item) => Place },
): Page<Row> {
  const placed = items.map((item) => ({ item, place: inUtc(placeOf(item)) })).sort((a, b) => byTime(a.place, b.place));
  const after = query.after === undefined ? null : placeNamed(query.after);
  const found = after === null ? 0 : placed.findIndex(({ place }) => byTime(place, after) > 0);
  return pageFrom(placed, found < 0 ? placed.length : found, query, {
    rowOf: ({ item }) => rowOf(item),
    nameOf: ({ place: { at, id } }) => `${at}/${id}`,
    maxBytes,
  });
}

/** A record that a stranger wrote may have a time that is none; it comes first. */
const inUtc = ({ at, id }: Place): Place => ({ at: new Date(Date.parse(at) || 0).toISOString(), id });

function placeNamed(after: string): Place {
  const [, at, id] = /^([^/]+)\/(.+)$/.exec(after) ?? [];
  if (at === undefined || id === undefined || Number.isNaN(Date.parse(at))) throw badCursor(after);
  return inUtc({ at, id });
}

/** @param after what the request had in place of the `next` of a page. */
export const badCursor = (after: string): CoxError =>
  new CoxError('bad-cursor', `${quoted(JSON.stringify(after))} is no place in this list`, {
    hint: 'Use the `next` of an earlier page as it was, or begin again without `after`.',
  });

const collator = new Intl.Collator('en', { numeric: true });
const inOrder = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
// Two ids may be equal as numbers only: `a01` and `a1`.
const byTime = (a: Place, b: Place): number => inOrder(a.at, b.at) || collator.compare(a.id, b.id) || inOrder(a.id, b.id);
