/** Deadlines in tests that are about what happens before them. */

/**
 * On a machine so slow that the deadline comes before what was to happen until then, tries again with one that is twice as far.
 * @param attempt is given the point in time; null: it came too early.
 */
export async function beforeDeadline<T>(now: () => Date, attempt: (deadlineAt: string) => Promise<T | null>): Promise<T> {
  for (let ms = 1_500; ; ms *= 2) {
    const seen = await attempt(new Date(now().getTime() + ms).toISOString());
    if (seen !== null) return seen;
  }
}
