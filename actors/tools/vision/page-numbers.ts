/** Pages as a model writes them: `1-5`, `2, 7, 9-10`. */
const most = 20;
const highest = 1_000_000;

/** @returns page numbers from 1 on, each once, in order. @throws Error for the model to read. */
export function pageNumbers(text = '1-5'): number[] {
  const numbers = new Set<number>();
  for (const part of text.split(',').map((it) => it.trim())) {
    const [, first, last = first] = /^(\d{1,7})(?:\s?[-–]\s?(\d{1,7}))?$/.exec(part) ?? [];
    const [from, to] = [Number(first), Number(last)];
    if (first === undefined || from < 1 || to < from || to > highest)
      throw new Error(`pages ${JSON.stringify(text)} cannot be read: write them as 1-5 or 2,7,9`);
    if (to - from >= most) throw new Error(`pages ${text} are too many: at most ${most} are read in one call`);
    for (let page = from; page <= to; page++) numbers.add(page);
  }
  if (numbers.size > most) throw new Error(`pages ${text} are too many: at most ${most} are read in one call`);
  return [...numbers].sort((a, b) => a - b);
}
