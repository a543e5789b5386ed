/** The width of a text by a table: a picture must not depend on the fonts of the machine that draws it. */

/** In hundredths of the font size. The table is of a wide font (DejaVu Sans), so that common fonts fit. */
const widths: readonly (readonly [width: number, characters: string])[] = [
  [30, "'ijlIJ"],
  [36, ' ,./:;|\\f-'],
  [42, '()[]tr!'],
  [53, '"*_sz?c'],
  [60, 'LFkvxyPTYao'],
  [66, 'eESbdghnpquK$0123456789{}'],
  [77, 'ABCDGHNOQRUVXZ&w'],
  [86, '#+<=>^~M'],
  [100, '%@Wm'],
];
const widthOf = new Map(widths.flatMap(([width, characters]) => [...characters].map((character) => [character, width] as const)));

/** In pixels, rounded up. A character outside the table counts as the widest. */
export function textWidth(text: string, fontSize: number, weight: 'normal' | 'bold' = 'normal'): number {
  const hundredths = [...text].reduce((sum, character) => sum + (widthOf.get(character) ?? 100), 0);
  return Math.ceil((hundredths * fontSize * (weight === 'bold' ? 1.1 : 1)) / 100);
}
