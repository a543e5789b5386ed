/** The words of a model. Thoughts that a server has left in the text are dimmed, and folded where the reply is there. */
import { clean } from '../text.ts';

interface Part {
  readonly isThought: boolean;
  readonly text: string;
}

const opening = /<(think|thinking|reasoning)>/i;

/** Splits a reply at the marks of thoughts. A thought that has not ended goes to the end of the text. */
export function partsOf(text: string): Part[] {
  const parts: Part[] = [];
  for (let rest = text; rest !== ''; ) {
    const found = opening.exec(rest);
    if (!found) {
      parts.push({ isThought: false, text: rest });
      break;
    }
    if (found.index > 0) parts.push({ isThought: false, text: rest.slice(0, found.index) });
    const after = rest.slice(found.index + found[0].length);
    const end = `</${found[1]}>`;
    const at = after.toLowerCase().indexOf(end.toLowerCase());
    parts.push({ isThought: true, text: at < 0 ? after : after.slice(0, at) });
    rest = at < 0 ? '' : after.slice(at + end.length);
  }
  return parts.filter(({ text: said }) => said.trim() !== '');
}

export const Words = ({ text }: { text: string }) => (
  <>
    {partsOf(text).map(({ isThought, text: said }, at) =>
      isThought ? (
        <div key={at} class="prose thought" dir="auto">
          <span class="sr">Thought: </span>
          {clean(said.trim())}
        </div>
      ) : (
        <div key={at} class="prose" dir="auto">
          {clean(said.trim())}
        </div>
      ),
    )}
  </>
);
