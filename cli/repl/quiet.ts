/** Lets callers wait for the next change, or find out that nothing has changed for a while. */
export class Quiet {
  #news = Promise.withResolvers<void>();

  changed(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  next(): Promise<void> {
    return this.#news.promise;
  }

  /** Resolves to true if nothing changes for `ms` milliseconds, and to false at the first change. */
  async for(ms: number): Promise<boolean> {
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), ms);
    });
    const quiet = await Promise.race([silence, this.#news.promise.then(() => false as const)]);
    clearTimeout(timer);
    return quiet;
  }
}
