/** File names and addresses in a text, found by code: in goals, to ask what becomes of each file, and in answers, to check them. */

/** Only usual endings count, because a full stop also ends sentences. */
const file =
  /[\p{L}\p{N}_][\p{L}\p{N}_./-]*\.(?:txt|md|json|ya?ml|csv|tsv|log|pdf|html?|xml|toml|ini|[jt]sx?|py|rb|go|rs|sh|sql|c|h|cpp|java)\b/u;
const name = new RegExp(`https?:\\/\\/[^\\s)\\]>"'\`,]+|${file.source}`, 'gu');

/** Names of files and addresses, each once, in order. */
export const namesIn = (text: string): string[] => [
  ...new Set((text.match(name) ?? []).map((found) => found.replace(/[.;:!?]+$/, ''))),
];

/** Names of files alone. */
export const filesIn = (text: string): string[] => namesIn(text).filter((found) => !/^https?:/.test(found));
