/**
 * Random numbers that a seed repeats. They choose the crashes of a short matrix. A failure prints the seed; COX_SEED runs it
 * again.
 */
export const seed = process.env.COX_SEED === undefined ? Date.now() % 2 ** 31 : Number(process.env.COX_SEED);

/** Mulberry32. @returns a whole number below `n` at each call. */
export function dice(from: number): (n: number) => number {
  let state = from | 0;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % n;
  };
}

export function shuffled<T>(items: readonly T[], roll: (n: number) => number): T[] {
  const left = [...items];
  return items.map(() => left.splice(roll(left.length), 1)[0]!);
}

/** Runs `work` for each, `atOnce` of them side by side. */
export async function each<T>(all: readonly T[], atOnce: number, work: (one: T, i: number) => Promise<void>): Promise<void> {
  const left = all.entries();
  const one = async () => {
    for (const [i, item] of left) await work(item, i);
  };
  await Promise.all(Array.from({ length: atOnce }, one));
}
