/** Lists that a client asks the nodes for, in the pages of the service. */
import { CoxError } from '../platform/errors.ts';
import { askNode } from './ask-node.ts';
import type { Bus } from './bus.ts';
import { maxPageRows, type Page, type PageQuery } from './page.ts';

/** The verbs that answer with pages, and what each calls its rows. */
const nameOfRows = { tasks: 'tasks', questions: 'questions', tree: 'nodes', dead: 'letters', artifacts: 'artifacts' } as const;
type Listing = keyof typeof nameOfRows;

/** Most times that a list is read from its beginning, because the row at which the next page of a tree begins is gone by then. */
const mostTries = 3;

/** Asks until the page has as many rows as its `limit` allows: one reply of a node carries at most a message of the server. */
export async function askPage<Row>(bus: Bus, verb: Listing, query: PageQuery & Record<string, unknown>): Promise<Page<Row>> {
  const { limit = maxPageRows, after } = query;
  const rows: Row[] = [];
  for (let next = after; ; ) {
    const asked = { ...query, limit: Math.min(limit - rows.length, maxPageRows), ...(next !== undefined && { after: next }) };
    const reply = await askNode<Record<string, Row[]> & Omit<Page<Row>, 'rows'>>(bus, verb, asked);
    rows.push(...(reply[nameOfRows[verb]] ?? []));
    if (reply.next === null || rows.length >= limit) return { rows, next: reply.next, more: reply.more };
    next = reply.next;
  }
}

/** Asks for the whole list. */
export async function askRows<Row>(bus: Bus, verb: Listing, query: object): Promise<Row[]> {
  for (let tries = 1; ; tries++)
    try {
      return [...(await askPage<Row>(bus, verb, { ...query, limit: Number.POSITIVE_INFINITY })).rows];
    } catch (cause) {
      if (tries === mostTries || !(cause instanceof CoxError) || cause.code !== 'bad-cursor') throw cause;
    }
}
