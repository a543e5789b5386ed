/**
 * The text without the characters of `tail` at its end. A pattern such as `/[.,]+$/` does the same in a time that grows with the
 * square of a run of such characters elsewhere in the text.
 */
export function withoutTail(text: string, tail: string): string {
  let end = text.length;
  while (end > 0 && tail.includes(text[end - 1]!)) end--;
  return text.slice(0, end);
}
