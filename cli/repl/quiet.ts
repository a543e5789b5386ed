/** Wakes whoever waits for something to have changed, and tells when nothing has for a while. */
export class Quiet {
  #news = Promise.withResolvers<void>();

  changed(): void {
    this.#news.resolve();
    this.#news = Promise.withResolvers();
  }

  next(): Promise<void> {
    return this.#news.promise;
  }

  /** Whether nothing changes for so long. */
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
