/** A diff, or another text of a preview, by lines. Added and removed lines begin with + and − as well as having a colour. */
import { useState } from 'preact/hooks';
import { clean } from '../text.ts';
import { Scroll } from './scroll.tsx';

/** Lines that are shown before the operator asks for the rest. */
const first = 40;

export function Diff({ text }: { text: string }) {
  const [whole, setWhole] = useState(false);
  const lines = clean(text).split('\n');
  const shown = whole ? lines : lines.slice(0, first);
  return (
    <div class="diff">
      <Scroll label="What would change">
        <pre>
          {shown.map((it, at) => (
            <span key={at} class={lookOf(it)}>
              {it}
              {'\n'}
            </span>
          ))}
        </pre>
      </Scroll>
      {lines.length > shown.length && (
        <button type="button" onClick={() => setWhole(true)}>
          Show {lines.length - shown.length} more lines
        </button>
      )}
    </div>
  );
}

function lookOf(it: string): string {
  if (/^\s*@@/.test(it)) return 'hunk';
  if (/^\s*\+(?!\+\+ )/.test(it)) return 'added';
  if (/^\s*[-−](?!-- )/.test(it)) return 'removed';
  return '';
}
