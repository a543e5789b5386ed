/** Lists the artifacts of a task or a tree: all their names by one request, and the heads for a page of them. */
import type { Bus } from '../bus.ts';
import { isStreamNotFound } from '../jetstream-errors.ts';
import { lastMessage } from '../leader-reads.ts';
import { ArtifactHead, type ArtifactRow } from '../messages.ts';
import { badCursor, type Page, type PageQuery, pageFrom } from '../page.ts';
import { parseMessage } from '../parse-message.ts';
import { isWithin, rootOf, type TaskId } from '../task-id.ts';
import { type ArtifactPlace, artifactName, kindOfArtifact, parseArtifactName } from './artifact-name.ts';
import { labelOf } from './label.ts';

/** @returns where the artifacts of a task (`k3xq.4`) or of a tree (`k3xq.*`) are, in no order. */
export async function artifactPlaces(bus: Bus, filter: string): Promise<ArtifactPlace[]> {
  const { subjects, jsm } = bus;
  try {
    const subjects_filter = subjects.artifactHeads(filter);
    const { state } = await jsm.streams.info(subjects.artifactStream, { subjects_filter });
    return Object.keys(state.subjects ?? {}).flatMap((subject) => placeOf(subject) ?? []);
  } catch (cause) {
    if (isStreamNotFound(cause)) return [];
    throw cause;
  }
}

const placeOf = (subject: string): ArtifactPlace | null => {
  const [, , root, path, call, n] = subject.split('.');
  return parseArtifactName(`${root}.${path}/${call}/${n}`);
};

/** Heads that are read at the same time. */
const headsAtOnce = 64;

/** Reads heads, in the order of the places. `head` is null where it is damaged. What was purged meanwhile is left out. */
export async function artifactHeads(bus: Bus, places: readonly ArtifactPlace[]): Promise<ListedHead[]> {
  const { subjects } = bus;
  const found: ListedHead[] = [];
  for (let from = 0; from < places.length; from += headsAtOnce) {
    const read = places.slice(from, from + headsAtOnce).map(async (place): Promise<ListedHead[]> => {
      const message = await lastMessage(bus, subjects.artifactStream, subjects.artifactHead(place));
      return message ? [{ place, head: parseMessage(ArtifactHead, message.data), at: message.time }] : [];
    });
    found.push(...(await Promise.all(read)).flat());
  }
  return found;
}
export interface ListedHead {
  readonly place: ArtifactPlace;
  readonly head: ArtifactHead | null;
  /** Time of the write, by the server's clock. */
  readonly at: Date;
}

/** @returns the size in bytes of everything that the calls of a task have stored, by its name. */
export async function madeSizes(bus: Bus, task: TaskId): Promise<[ArtifactPlace, number][]> {
  const places = (await artifactPlaces(bus, task)).filter(({ n }) => typeof n === 'string');
  return (await artifactHeads(bus, places)).map(({ place, head }) => [place, head?.bytes ?? 0]);
}

/**
 * A page of the artifacts of a task and the tasks below it, in the order of their names, numbers by value.
 * @param maxBytes most bytes that the rows may have as JSON. Default: no limit.
 * @throws CoxError `bad-cursor`.
 */
export async function artifactPage(bus: Bus, id: TaskId, query: PageQuery, maxBytes?: number): Promise<Page<ArtifactRow>> {
  const { after, limit = mostRows } = query;
  const last = after === undefined ? null : parseArtifactName(after);
  if (after !== undefined && !last) throw badCursor(after);
  const from = last ? orderOf(last) : '';
  const placed = (await artifactPlaces(bus, `${rootOf(id)}.*`))
    .filter(({ task }) => isWithin(task, id))
    .map((place) => ({ place, order: orderOf(place) }))
    // The place itself may have been purged meanwhile.
    .filter(({ order }) => order > from)
    .sort((a, b) => (a.order < b.order ? -1 : 1));
  const rows = (
    await artifactHeads(
      bus,
      placed.slice(0, limit).map(({ place }) => place),
    )
  ).map(rowOf);
  const { rows: shown, next, more } = pageFrom(rows, 0, query, { rowOf: (row) => row, nameOf: ({ ref }) => ref, maxBytes });
  const left = Math.max(0, placed.length - limit);
  return { rows: shown, next: next ?? (left > 0 ? artifactName(placed[limit - 1]!.place) : null), more: more + left };
}
/** Rows of a page whose query has no limit. */
const mostRows = 10_000;

/** A text whose order is that of the names, numbers by value. The name at its end tells apart what is equal as numbers. */
const orderOf = (place: ArtifactPlace): string => {
  const name = artifactName(place);
  return `${name.replaceAll(/\d+/g, (digits) => digits.padStart(16, '0'))} ${name}`;
};

export function rowOf({ place, head, at }: ListedHead): ArtifactRow {
  const { name, type, bytes = 0, sha256 = null, step = null } = head ?? {};
  const label = name === undefined || type === undefined ? { name: null, type: null } : labelOf({ name, type });
  const { task, call } = place;
  return {
    ...{ ref: artifactName(place), task, call, kind: kindOfArtifact(place), ...label },
    ...{ bytes, sha256, step, at: at.toISOString() },
    ...(head === null && { damaged: true as const }),
  };
}
