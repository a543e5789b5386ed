/**
 * A copy of a JSON value for people to look at: secrets are masked, and it is bounded in every direction. What is left out is said
 * in its place. A secret is masked before its text is cut, because half a secret has another form.
 */
import { beginningOf, fitted } from './cut.ts';
import { isSecretField, mask, maskSecrets } from './redact.ts';

export interface ShownLimits {
  /** Longest text, in characters. */
  readonly textChars: number;
  /** The most entries that are kept: the last ones of a list, and the first ones of an object. */
  readonly entries: number;
  /** Most characters of all texts and names together. */
  readonly totalChars: number;
}
const maxDepth = 12;
const leftOut = '(left out: too long)';

export function shownJson(value: unknown, { textChars, entries, totalChars }: ShownLimits): unknown {
  let left = totalChars;
  const spend = (text: string): string => {
    left -= text.length;
    return text;
  };
  const shown = (it: unknown, depth: number): unknown => {
    if (left <= 0) return leftOut;
    if (typeof it === 'string') return spend(fitted(masked(it, textChars), Math.max(64, Math.min(textChars, left))));
    if (typeof it === 'bigint' || typeof it === 'symbol' || typeof it === 'function') return spend(typeof it);
    if (typeof it !== 'object' || it === null) {
      left -= 8;
      return it;
    }
    if (depth >= maxDepth) return spend(leftOut);
    left -= 2;
    if (Array.isArray(it)) return list(it, depth);
    if (it instanceof Error) return shown({ name: it.name, message: it.message }, depth);
    return record(it as Readonly<Record<string, unknown>>, depth);
  };
  const list = (all: readonly unknown[], depth: number): unknown[] => {
    // The last entries are read first, so that the room that is left is theirs.
    const kept = all
      .slice(Math.max(0, all.length - entries))
      .toReversed()
      .map((each) => shown(each, depth + 1))
      .toReversed();
    return kept.length < all.length ? [`(${all.length - kept.length} earlier ones left out)`, ...kept] : kept;
  };
  const record = (all: Readonly<Record<string, unknown>>, depth: number): Record<string, unknown> => {
    const names = Object.keys(all);
    const kept = names.slice(0, entries).map((name) => {
      const value = isSecretField(name) && all[name] !== null && all[name] !== undefined ? mask : shown(all[name], depth + 1);
      return [spend(fitted(maskSecrets(name), 200)), value] as const;
    });
    if (kept.length < names.length) kept.push(['…', `(${names.length - kept.length} more left out)`]);
    // An own property of the copy, also for the name `__proto__`.
    return Object.fromEntries(kept);
  };
  return shown(value, 0);
}

/**
 * Of a long text only a window is searched for secrets, many times as long as what is shown of it. Its end is dropped, because
 * a secret that it cuts has another form.
 */
function masked(text: string, textChars: number): string {
  const window = Math.max(16_384, 8 * textChars);
  if (text.length <= window) return maskSecrets(text);
  const missing = `… (${text.length.toLocaleString('en')} characters)`;
  return `${beginningOf(maskSecrets(beginningOf(text, window)), window - 4_096)}${missing}`;
}
