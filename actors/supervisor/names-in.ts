/** File names and addresses in a text, found by code: in goals, to ask what becomes of each file, and in answers, to check them. */
import { parseArtifactName } from '../../bus/artifacts/artifact-name.ts';
import { withoutTail } from '../../platform/trim.ts';

/** An address, or a run of letters in which a name may be. Each run is looked at once, so the time grows with the length only. */
const run = /https?:\/\/[^\s)\]>"'`,]+|[\p{L}\p{N}_][\p{L}\p{N}_./-]*/gu;
/** Only usual endings count, because a full stop also ends sentences. */
const file =
  /^.+\.(?:txt|md|json|ya?ml|csv|tsv|log|pdf|PDF|png|PNG|jpe?g|JPE?G|webp|gif|bmp|avif|html?|xml|toml|ini|[jt]sx?|py|rb|go|rs|sh|sql|c|h|cpp|java)\b/u;
/** A longer run is no name: systems allow 255 bytes for each part of a path. */
const maxNameChars = 1_024;

/** Names of files and addresses, each once, in order. */
export const namesIn = (text: string): string[] => [
  ...new Set(
    (text.match(run) ?? []).flatMap((found) => {
      const name = nameIn(found);
      return name === undefined ? [] : withoutTail(name, '.;:!?');
    }),
  ),
];

const nameIn = (found: string): string | undefined =>
  found.length > maxNameChars ? undefined : isAddress(found) ? found : file.exec(found)?.[0];

const isAddress = (found: string): boolean => /^https?:\/\//.test(found);

/** Names of artifacts, each once, in order. */
export const refsIn = (text: string): string[] => [
  ...new Set(
    (text.match(run) ?? []).map((found) => withoutTail(found, '.')).filter((found) => parseArtifactName(found) !== null),
  ),
];

/** Names of files alone. */
export const filesIn = (text: string): string[] => namesIn(text).filter((found) => !isAddress(found));

/** Addresses of pages alone. */
export const addressesIn = (text: string): string[] => namesIn(text).filter(isAddress);
