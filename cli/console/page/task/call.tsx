/** A tool call with its arguments, as a diff where they change a file, and what it has stored. */
import type { ArtifactRow } from '../../../../bus/messages.ts';
import { Diff } from '../parts/diff.tsx';
import { Line } from '../parts/text.tsx';
import { clean, line } from '../text.ts';
import { Artifact } from './artifact.tsx';

interface CallProps {
  readonly id: string;
  readonly tool: string;
  readonly args?: unknown;
  readonly artifacts: readonly ArtifactRow[];
}

export function Call({ id, tool, args, artifacts }: CallProps) {
  const diff = diffOf(tool, args);
  const mine = artifacts.filter((each) => each.call === id);
  const path = textOf(args, 'path');
  return (
    <div class="call">
      <p>
        <span aria-hidden="true">▸</span> calls <code>{line(tool, 64)}</code> {path !== null && <Line text={path} most={120} />}{' '}
        <span class="meta">{line(id, 40)}</span>
      </p>
      {diff !== null ? <Diff text={diff} /> : <Args args={args} />}
      {mine.map((each) => (
        <Artifact key={each.ref} of={each} />
      ))}
    </div>
  );
}

const shortChars = 120;
function Args({ args }: { args: unknown }) {
  if (args === undefined) return null;
  const short = line(JSON.stringify(args), shortChars + 1);
  if (short.length <= shortChars) return <code class="args">{short}</code>;
  return (
    <details>
      <summary>
        <code>{line(short, shortChars)}</code>
      </summary>
      <pre class="args">{clean(JSON.stringify(args, null, 2))}</pre>
    </details>
  );
}

const textOf = (args: unknown, key: string): string | null => {
  const value = typeof args === 'object' && args !== null ? (args as Record<string, unknown>)[key] : undefined;
  return typeof value === 'string' ? value : null;
};
const marked = (sign: string, text: string | null): string[] =>
  text === null
    ? []
    : text
        .replace(/\n$/, '')
        .split('\n')
        .map((each) => `${sign}${each}`);

/** The change that a call of these tools asks for, as a diff; null for every other call. */
function diffOf(tool: string, args: unknown): string | null {
  if (tool === 'apply_patch') return textOf(args, 'patch');
  if (tool === 'write_file' && textOf(args, 'text') !== null) return marked('+', textOf(args, 'text')).join('\n');
  if (tool === 'edit_file' && textOf(args, 'new') !== null)
    return [...marked('-', textOf(args, 'old')), ...marked('+', textOf(args, 'new'))].join('\n');
  return null;
}
