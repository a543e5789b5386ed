import type { LookupFunction } from 'node:net';
import type { WebAddress } from './web-policy.ts';

/** Stands in for the host of a connection whose addresses were looked up and checked before. It never reaches a name server. */
export const checkedHost = 'checked.invalid';

/** A `lookup` for sockets that leads to these addresses, so that nothing is looked up a second time. */
export const pinnedLookup =
  (addresses: readonly WebAddress[]): LookupFunction =>
  (_host, { all }, done) => {
    if (all) return done(null, [...addresses]);
    const [first] = addresses;
    return done(null, first!.address, first!.family);
  };
