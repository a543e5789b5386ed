/**
 * The file name and the type of an artifact. Pages, servers and models choose them, so both are made harmless before they are
 * stored, and again when they are read: any client can write a head.
 */
import { beginningOf } from '../../platform/cut.ts';
import { hiddenCharacter } from '../../platform/hidden-characters.ts';
import { withoutTail } from '../../platform/trim.ts';

export interface Label {
  readonly name: string;
  /** MIME type, such as `image/png`. */
  readonly type: string;
}

/** Longest file name in characters. A file system takes 255 bytes, and a letter can have four. */
const maxFileNameChars = 60;
/** Also those that Windows does not allow. */
const unwanted = new RegExp(String.raw`${hiddenCharacter}|[\t\n<>:"\|?*]`, 'gv');
const mime = /^[a-z0-9][a-z0-9!#$&^_.+-]{0,63}\/[a-z0-9][a-z0-9!#$&^_.+-]{0,63}$/;

/** The last part of a path as the name of one file in a folder: printable, no hidden file, and never empty. */
export function fileNameOf(name: string): string {
  const last = name.split(/[/\\]/).at(-1) ?? '';
  const clean = last
    .replace(unwanted, '')
    .replace(/\s+/g, ' ')
    .trim()
    .replace(/^[.\s-]+/, '');
  return withoutTail(shortened(clean), '. ') || 'artifact';
}

/** Cuts the middle of a name, so that the ending stays. */
function shortened(name: string): string {
  if (name.length <= maxFileNameChars) return name;
  const dot = name.lastIndexOf('.');
  const ending = dot > 0 && name.length - dot <= 12 ? name.slice(dot) : '';
  return `${beginningOf(name.slice(0, name.length - ending.length), maxFileNameChars - ending.length)}${ending}`;
}

/** The type without its parameters, or `application/octet-stream` for what is none. */
function mimeTypeOf(type: string): string {
  const bare = (type.split(';')[0] ?? '').trim().toLowerCase();
  return mime.test(bare) ? bare : 'application/octet-stream';
}

export const labelOf = ({ name, type }: Label): Label => ({ name: fileNameOf(name), type: mimeTypeOf(type) });
