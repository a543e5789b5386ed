/** Pictures among the artifacts of a task: read over the bus, and shown from memory, so no request goes anywhere else. */
import { useEffect, useState } from 'preact/hooks';
import type { ArtifactRow } from '../../../../bus/messages.ts';
import { ask, fresh } from '../link.ts';
import { line } from '../text.ts';

/** Types that a browser shows without running anything. SVG in an <img> runs no script, but is left out all the same. */
const shownTypes = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const mostBytes = 16 * 1024 * 1024;
const mostPictures = 8;

interface PicturesProps {
  readonly task: string;
  /** Of this call alone; null: of all. */
  readonly call: string | null;
  readonly kind: ArtifactRow['kind'];
}

export function Pictures({ task, call, kind }: PicturesProps) {
  const [found, setFound] = useState<readonly ArtifactRow[]>([]);
  const times = fresh.value;
  useEffect(() => {
    let current = true;
    ask<{ artifacts: ArtifactRow[] }>('artifacts', { task, limit: 200 })
      .then(({ artifacts }) => {
        const mine = artifacts.filter(
          (each) => each.task === task && each.kind === kind && (call === null || each.call === call),
        );
        if (current) setFound(mine.filter(isPicture).slice(-mostPictures));
      })
      .catch(() => {});
    return () => {
      current = false;
    };
  }, [task, call, kind, times]);
  return found.length === 0 ? null : (
    <div class="pictures">
      {found.map((each) => (
        <Picture key={each.ref} of={each} />
      ))}
    </div>
  );
}

const isPicture = ({ type, bytes }: ArtifactRow): boolean => shownTypes.includes(type ?? '') && bytes <= mostBytes;

export function Picture({ of: { ref, name, type } }: { of: ArtifactRow }) {
  const [url, setUrl] = useState<string | null>(null);
  const [gone, setGone] = useState(false);
  useEffect(() => {
    let made: string | null = null;
    let current = true;
    bytesOf(ref)
      .then((bytes) => {
        if (!current) return;
        made = URL.createObjectURL(new Blob([bytes], { type: type! }));
        setUrl(made);
      })
      .catch(() => current && setGone(true));
    return () => {
      current = false;
      if (made) URL.revokeObjectURL(made);
    };
  }, [ref, type]);
  const label = line(name ?? ref, 80);
  if (gone) return <p class="meta">The picture {label} is gone.</p>;
  return (
    <figure>
      {url && <img src={url} alt={`${label}, as the task has stored it`} />}
      <figcaption>
        <bdi>{label}</bdi>
      </figcaption>
    </figure>
  );
}

/** The whole of an artifact. */
export async function bytesOf(ref: string): Promise<Uint8Array<ArrayBuffer>> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  for (let part = 0; ; part++) {
    const reply = await ask<{ parts: number; base64: string }>('artifact', { ref, part });
    pieces.push(Uint8Array.from(atob(reply.base64), (char) => char.charCodeAt(0)));
    if (part + 1 >= reply.parts) break;
  }
  const bytes = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    bytes.set(piece, at);
    at += piece.length;
  }
  return bytes;
}
