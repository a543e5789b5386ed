/** Host names that tests look up instead of asking a name server. */
import type { Lookup } from '../../../../actors/tools/web/web-policy.ts';
import { WebRules } from '../../../../roster/web-schema.ts';

export const rulesOf = (given: Parameters<typeof WebRules.parse>[0] = {}): WebRules => WebRules.parse(given);

/** @returns `asked` lists each look-up. `names` may change while a test runs. */
export function nameServer(names: Record<string, string[]>): { readonly lookup: Lookup; readonly asked: string[] } {
  const asked: string[] = [];
  return {
    asked,
    lookup: async (host) => {
      asked.push(host);
      const found = names[host];
      if (!found) throw Object.assign(new Error('not found'), { code: 'ENOTFOUND' });
      return found.map((address) => ({ address, family: address.includes(':') ? 6 : 4 }));
    },
  };
}
