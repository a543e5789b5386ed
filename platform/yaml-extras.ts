/**
 * What people write into YAML besides the values themselves: `x-` keys, which hold anchors or notes and mean nothing (as in Compose
 * files), and a key `__proto__`, which no schema sees because the schema library passes over it.
 */

/**
 * Leaves out the `x-` keys of all mappings.
 * @param isNames whether the keys of the mapping at this path are names that somebody chose, such as those of backends.
 */
export function withoutExtras(
  value: unknown,
  isNames: (path: readonly string[]) => boolean,
  path: readonly string[] = [],
): unknown {
  if (Array.isArray(value)) return value.map((item, at) => withoutExtras(item, isNames, [...path, String(at)]));
  if (typeof value !== 'object' || value === null) return value;
  const kept = Object.entries(value).filter(([key]) => isNames(path) || !key.startsWith('x-'));
  return Object.fromEntries(kept.map(([key, item]) => [key, withoutExtras(item, isNames, [...path, key])]));
}

/**
 * The path of the first key `__proto__`; null if there is none.
 * @throws an Error in words if an alias names a mapping or a list that it is in.
 */
export function protoKey(value: unknown, path: readonly string[] = [], above: readonly unknown[] = []): readonly string[] | null {
  if (typeof value !== 'object' || value === null) return null;
  if (above.includes(value)) throw new Error(`${path.join('.')}: an alias of something that contains it`);
  for (const [key, item] of Object.entries(value)) {
    const found = key === '__proto__' ? [...path, key] : protoKey(item, [...path, key], [...above, value]);
    if (found) return found;
  }
  return null;
}
