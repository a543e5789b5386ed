/** The origins to which each task has gone on this node, so that an operator is asked once for each and not for every page. */
const maxTasks = 1_000;
const maxOrigins = 1_000;

export class Visits {
  readonly #origins = new Map<string, Set<string>>();

  has(task: string, origin: string): boolean {
    return this.#origins.get(task)?.has(origin) === true;
  }

  add(task: string, origin: string): void {
    const origins = this.#origins.get(task) ?? new Set();
    // The task that was busy longest ago is the first to be forgotten, and asks again.
    this.#origins.delete(task);
    this.#origins.set(task, origins);
    if (origins.size < maxOrigins) origins.add(origin);
    if (this.#origins.size > maxTasks) this.#origins.delete(this.#origins.keys().next().value!);
  }
}
