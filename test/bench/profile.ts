/** Where the time of this process goes, by part: our folders, each package, the garbage collector, Node itself. */
import { Session } from 'node:inspector/promises';

export class Profile {
  readonly #session = new Session();

  static async start(): Promise<Profile> {
    const profile = new Profile();
    profile.#session.connect();
    await profile.#session.post('Profiler.enable');
    await profile.#session.post('Profiler.start');
    return profile;
  }

  /** @returns One line for each part, the most expensive first, with its share of the time that was not idle. */
  async stop(): Promise<string> {
    const { profile } = await this.#session.post('Profiler.stop');
    this.#session.disconnect();
    const parts = new Map<number, string>();
    for (const { id, callFrame } of profile.nodes) parts.set(id, partOf(callFrame.url, callFrame.functionName));
    const spent = new Map<string, number>();
    for (const [i, id] of (profile.samples ?? []).entries()) {
      const part = parts.get(id)!;
      spent.set(part, (spent.get(part) ?? 0) + (profile.timeDeltas?.[i] ?? 0));
    }
    spent.delete('idle');
    const total = [...spent.values()].reduce((sum, us) => sum + us, 0);
    const dearest = [...spent].toSorted(([, a], [, b]) => b - a).slice(0, 16);
    return dearest.map(([part, us]) => `${((100 * us) / total).toFixed(1).padStart(6)} %  ${part}`).join('\n');
  }
}

function partOf(url: string, name: string): string {
  const inPackage = /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(url)?.[1];
  if (inPackage) return inPackage;
  if (url.startsWith('file:')) return url.split('/').slice(-2).join('/');
  if (name === '(idle)') return 'idle';
  return name.startsWith('(') ? name : 'node';
}
