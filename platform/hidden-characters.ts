/**
 * Characters that a reader does not see, but that a terminal or a reader's eye obeys: control characters (C0, DEL, C1), marks that
 * reorder a line (bidi), characters of no width, tags, line and paragraph separators, and halves of characters. Newline and tab are
 * not among them. Joiners are hidden unless they join letters of a script that needs them, or emoji.
 */

/** The selectors U+FE00 to U+FE0F choose between two looks of a character, such as text and emoji. */
const hidden = String.raw`[[\p{Cc}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}\u{fff9}-\u{fffb}]--[\t\n\u{fe00}-\u{fe0f}\u200c\u200d]]`;
const joined = String.raw`[[\p{L}\p{M}\p{Extended_Pictographic}\p{Emoji_Modifier}]--[\u{0}-\u{2ff}]]`;

/** The source of a pattern with the flag `v` that matches one hidden character. */
export const hiddenCharacter = String.raw`(?:${hidden}|(?<!${joined})[\u200c\u200d]|[\u200c\u200d](?!${joined}))`;

const everyHidden = new RegExp(hiddenCharacter, 'gv');

/** A value as JSON in which each hidden character is an escape: the same value, and text that is what it looks like. */
export const visibleJson = (value: unknown): string =>
  JSON.stringify(value).replace(everyHidden, (character) =>
    character
      .split('')
      .map((unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`)
      .join(''),
  );
