/** Things that calls of a task have stored: pictures at once, texts and files on demand. Nothing is opened by itself. */
import { useEffect, useState } from 'preact/hooks';
import type { ArtifactRow } from '../../../../bus/messages.ts';
import { bytesOf, Picture } from '../parts/pictures.tsx';
import { Line, Prose } from '../parts/text.tsx';
import { line } from '../text.ts';

const pictures = ['image/png', 'image/jpeg', 'image/webp', 'image/gif'];
const mostShownBytes = 256 * 1024;

export function Artifact({ of }: { of: ArtifactRow }) {
  const { ref, kind, name, type, bytes } = of;
  const [text, setText] = useState<string | null>(null);
  const [file, setFile] = useState<string | null>(null);
  const [problem, setProblem] = useState<string | null>(null);
  useEffect(() => () => void (file !== null && URL.revokeObjectURL(file)), [file]);
  if (pictures.includes(type ?? '')) return <Picture of={of} />;
  const isText = /^text\/|json$|xml$/.test(type ?? '') && bytes <= mostShownBytes;
  const load = async () => {
    try {
      const content = await bytesOf(ref);
      if (isText) setText(new TextDecoder().decode(content));
      // Every type is offered as bytes, so that no browser shows a page of it.
      else setFile(URL.createObjectURL(new Blob([content], { type: 'application/octet-stream' })));
    } catch (cause) {
      setProblem(String(cause));
    }
  };
  const label = line(name ?? ref, 80);
  return (
    <div class="artifact">
      <p class="meta">
        <Line text={label} most={80} /> · <Line text={type ?? kind} most={40} /> · {bytes.toLocaleString('en')} bytes{' '}
        {kind === 'replaced' ? (
          '· as it was before; read it with cox artifact'
        ) : text === null && file === null ? (
          <button type="button" onClick={() => void load()}>
            {isText ? 'Show' : 'Fetch'} {label}
          </button>
        ) : null}
        {file !== null && (
          <a href={file} download={label.replace(/[^\w.-]/g, '_')}>
            Save {label}
          </a>
        )}
      </p>
      {problem !== null && <p class="bad">It cannot be read: {line(problem, 160)}</p>}
      {text !== null && <Prose text={text} />}
    </div>
  );
}
