/**
 * Puts the words and frames of a screenshot together to fields of a form. The value of a frame is the text in it; its label is the
 * text to the left of it on its line, else right above it, else right of it. The label of a check box is the text to the right of
 * it, else to the left. Text that ends with a colon is the label of the text
 * after it, also without a frame. Placeholders look like values, and are told as such.
 */
import type { Box, Form, Word } from './reading.ts';

export interface FormField {
  /** Empty where none is near. */
  readonly label: string;
  /** Empty for an empty field; `checked` or `unchecked` for a check box. */
  readonly value: string;
  readonly box: Box;
}

/** Words of one line that belong together. */
interface Phrase extends Box {
  readonly text: string;
}

export function fieldsOf({ lines, frames, checkBoxes }: Form): FormField[] {
  const inFrames = new Set<Word>();
  const values = frames.map((frame) => {
    const inside = lines.map((line) => line.filter((word) => isIn(word, frame)));
    for (const word of inside.flat()) inFrames.add(word);
    return textOf(inside.map((line) => line.filter((word) => !isHandle(word, frame))));
  });
  const phrases = lines.flatMap((line) => phrasesOf(line.filter((word) => !inFrames.has(word))));
  const taken = new Set<Phrase>();
  const checked = checkBoxes.map(({ box, checked }): FormField => {
    const label = labelOfCheckBox(box, phrases, taken);
    if (label) taken.add(label);
    return { label: label ? withoutMarks(label.text) : '', value: checked ? 'checked' : 'unchecked', box };
  });
  const framed = frames.map((box, i): FormField => {
    const label = labelOf(box, phrases, taken);
    if (label) taken.add(label);
    return { label: label ? withoutMarks(label.text) : '', value: values[i]!, box };
  });
  const bare = phrases.filter((phrase) => !taken.has(phrase)).flatMap((phrase) => withColon(phrase, phrases, taken));
  return [...checked, ...framed, ...bare].sort((a, b) => a.box.y - b.box.y || a.box.x - b.box.x);
}

const middleY = ({ y, height }: Box): number => y + height / 2;
const right = ({ x, width }: Box): number => x + width;
const bottom = ({ y, height }: Box): number => y + height;

/** Frames are read as letters by the OCR, too: a word counts as inside if its middle is. */
const isIn = (word: Box, frame: Box): boolean =>
  word.x + word.width / 2 > frame.x &&
  word.x + word.width / 2 < right(frame) &&
  middleY(word) > frame.y &&
  middleY(word) < bottom(frame);

/** The arrow of a list and the handle of a large field, which the OCR takes for a letter. */
const isHandle = (word: Word, frame: Box): boolean =>
  word.text.length === 1 && word.width <= 18 && right(frame) - right(word) <= 24;

const edgeMarks = /^[|[\](){}_—–/\\-]{1,3}$/;
const textOf = (lines: readonly (readonly Word[])[]): string =>
  lines
    .map((line) =>
      line
        .map(({ text }) => text)
        .filter((text) => !edgeMarks.test(text))
        .join(' '),
    )
    .filter(Boolean)
    .join('\n');

/** A gap that is wider than the letters are high, by half, ends a phrase; so does a colon. */
function phrasesOf(line: readonly Word[]): Phrase[] {
  const phrases: Phrase[] = [];
  for (const word of line.filter(({ text }) => !edgeMarks.test(text))) {
    const last = phrases.at(-1);
    const isNext = last && !last.text.endsWith(':') && word.x - right(last) <= 1.5 * Math.max(last.height, word.height);
    if (isNext) phrases[phrases.length - 1] = joined(last, word);
    else phrases.push(word);
  }
  return phrases;
}

function joined(a: Phrase, b: Phrase): Phrase {
  const [x, y] = [Math.min(a.x, b.x), Math.min(a.y, b.y)];
  return {
    text: `${a.text} ${b.text}`,
    x,
    y,
    width: Math.max(right(a), right(b)) - x,
    height: Math.max(bottom(a), bottom(b)) - y,
  };
}

/** The nearest phrase on the line of the box: at its right, else at its left. */
function labelOfCheckBox(box: Box, phrases: readonly Phrase[], taken: ReadonlySet<Phrase>): Phrase | undefined {
  const beside = phrases.filter(
    (phrase) => !taken.has(phrase) && middleY(box) > phrase.y - box.height / 2 && middleY(box) < bottom(phrase) + box.height / 2,
  );
  return nearest(beside, (phrase) => phrase.x - right(box), 60) ?? nearest(beside, (phrase) => box.x - right(phrase), 60);
}

/** The phrase with the least distance, from −4 to `most` pixels. */
const nearest = (phrases: readonly Phrase[], distance: (phrase: Phrase) => number, most: number): Phrase | undefined =>
  phrases
    .map((phrase) => ({ phrase, at: distance(phrase) }))
    .filter(({ at }) => at >= -4 && at <= most)
    .sort((a, b) => a.at - b.at)[0]?.phrase;

/** The nearest phrase at the left on the line of the field, else above it, else at its right. */
function labelOf(frame: Box, phrases: readonly Phrase[], taken: ReadonlySet<Phrase>): Phrase | undefined {
  const free = phrases.filter((phrase) => !taken.has(phrase));
  const isBeside = (phrase: Phrase) =>
    middleY(phrase) > frame.y - 4 && middleY(phrase) < Math.min(bottom(frame), frame.y + 60) + 4;
  const overlaps = (phrase: Phrase) => phrase.x < right(frame) && right(phrase) > frame.x - 20;
  return (
    nearest(free.filter(isBeside), (phrase) => frame.x - right(phrase), 240) ??
    nearest(free.filter(overlaps), (phrase) => frame.y - bottom(phrase), 40) ??
    nearest(free.filter(isBeside), (phrase) => phrase.x - right(frame), 60)
  );
}

/** A label that ends with a colon, and the phrase to the right of it on its line. */
function withColon(label: Phrase, phrases: readonly Phrase[], taken: ReadonlySet<Phrase>): FormField[] {
  if (!label.text.endsWith(':')) return [];
  const value = phrases
    .filter(
      (it) => it !== label && !taken.has(it) && Math.abs(middleY(it) - middleY(label)) < label.height && it.x >= right(label),
    )
    .sort((a, b) => a.x - b.x)[0];
  if (!value || value.text.endsWith(':')) return [];
  const { x, y, width, height } = value;
  return [{ label: withoutMarks(label.text), value: value.text, box: { x, y, width, height } }];
}

const withoutMarks = (label: string): string => label.replace(/[ *:]{1,8}$/, '').trim();
