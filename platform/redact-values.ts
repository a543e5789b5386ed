/** Masks the secrets in a value of JSON, and tells where there were any. */
import { maskSecrets, secretNames } from './redact.ts';

export interface Masked {
  readonly value: unknown;
  /** Where something was masked: names of fields and indices, joined by dots. */
  readonly places: readonly string[];
}

/**
 * Texts are masked by the form of what is in them. A field is masked by its name only in the arguments of calls: elsewhere `key`
 * and `token` name other things.
 */
export function maskValues(value: unknown): Masked {
  const places: string[] = [];
  const walk = (it: unknown, path: string, isArgs: boolean): unknown => {
    if (typeof it === 'string') {
      const masked = maskSecrets(it);
      if (masked !== it) places.push(path);
      return masked;
    }
    if (Array.isArray(it)) return it.map((each, i) => walk(each, `${path}.${i}`, isArgs));
    if (typeof it !== 'object' || it === null) return it;
    const entries = Object.entries(it).map(([name, each]): [string, unknown] => {
      const place = path === '' ? name : `${path}.${name}`;
      if (!isArgs || !secretNames.has(name.toLowerCase()) || each === null)
        return [name, walk(each, place, isArgs || name === 'args')];
      places.push(place);
      return [name, '[Redacted]'];
    });
    return Object.fromEntries(entries);
  };
  return { value: walk(value, '', false), places };
}
