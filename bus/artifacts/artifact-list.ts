/** Lists the artifacts of a task or a tree: their names by one request, and their heads for a page of them. */
import type { Bus } from '../bus.ts';
import { isStreamNotFound } from '../jetstream-errors.ts';
import { lastMessage } from '../leader-reads.ts';
import { ArtifactHead } from '../messages.ts';
import { parseMessage } from '../parse-message.ts';
import type { TaskId } from '../task-id.ts';
import { type ArtifactPlace, parseArtifactName } from './artifact-name.ts';

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
interface ListedHead {
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
