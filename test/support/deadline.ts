/** Deadlines in tests of what happens before them. */

/**
 * Tries with a deadline 1.5 s ahead, and doubles that each time the machine was too slow.
 * @param attempt Gets the deadline; null: the deadline came too early.
 */
export async function beforeDeadline<T>(now: () => Date, attempt: (deadlineAt: string) => Promise<T | null>): Promise<T> {
  for (let ms = 1_500; ; ms *= 2) {
    const seen = await attempt(new Date(now().getTime() + ms).toISOString());
    if (seen !== null) return seen;
  }
}
