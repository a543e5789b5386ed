/** Gathers changes until the browser draws the next frame. A page in the background draws none, and is brought up to date then. */
let waiting: Set<() => void> | null = null;

/** Runs `work` once before the next frame, however often it is asked for until then. */
export function onFrame(work: () => void): void {
  if (!waiting) {
    waiting = new Set();
    requestAnimationFrame(run);
  }
  waiting.add(work);
}

function run(): void {
  const works = waiting ?? [];
  waiting = null;
  for (const work of works) work();
}
