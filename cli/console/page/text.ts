/**
 * Texts of models, pages and clients for the eye. Preact puts them into the document as text, never as markup. What remains are
 * characters that a reader does not see and that reorder or hide others: they are shown by their number.
 */
import { beginningOf } from '../../../platform/cut.ts';
import { hiddenCharacter } from '../../../platform/hidden-characters.ts';

const everyHidden = new RegExp(hiddenCharacter, 'gv');
const shown = (character: string): string => `‹U+${character.codePointAt(0)!.toString(16).toUpperCase().padStart(4, '0')}›`;

/** With its line breaks. Carriage returns before a line break go without a word. */
export const clean = (text: string): string => text.replaceAll('\r\n', '\n').replace(everyHidden, shown);
/** In one line, with at most `most` characters. */
export function line(text: string, most = 400): string {
  const flat = clean(text).replace(/\s+/g, ' ').trim();
  return flat.length > most ? `${beginningOf(flat, most - 1)}…` : flat;
}
