import { BlockList, isIP } from 'node:net';
import fc from 'fast-check';
import { describe, expect, it, test } from 'vitest';
import { closedRange, unmapped } from '../../../../actors/tools/web/closed-ranges.ts';

/** The registries of IANA for special purposes, without the entries that are globally reachable. Written apart from the code. */
const special4 = [
  ...['0.0.0.0/8', '10.0.0.0/8', '100.64.0.0/10', '127.0.0.0/8', '169.254.0.0/16', '172.16.0.0/12', '192.0.0.0/24'],
  ...['192.0.2.0/24', '192.88.99.0/24', '192.168.0.0/16', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ...['224.0.0.0/4', '240.0.0.0/4', '255.255.255.255/32'],
];
const special6 = [
  ...['::/128', '::1/128', '64:ff9b:1::/48', '100::/64', '2001:db8::/32', '2001::/32', '2001:2::/48', '2001:10::/28'],
  ...['3fff::/20', '5f00::/16', 'fc00::/7', 'fe80::/10', 'fec0::/10', 'ff00::/8'],
];
const oracle = new BlockList();
for (const range of [...special4, ...special6]) {
  const [network, bits] = range.split('/') as [string, string];
  oracle.addSubnet(network, Number(bits), isIP(network) === 4 ? 'ipv4' : 'ipv6');
}

describe('an address is closed', () => {
  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'this machine'],
    ['0.1.2.3', 'this machine'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'carrier-grade NAT'],
    ['100.100.100.200', 'carrier-grade NAT'],
    ['169.254.169.254', 'link-local'],
    ['168.63.129.16', 'metadata service'],
    ['192.0.0.192', 'reserved'],
    ['224.0.0.1', 'multicast'],
    ['239.255.255.255', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['192.0.2.1', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['::1', 'loopback'],
    ['::', 'this machine'],
    ['fc00::1', 'private'],
    ['fd00:ec2::254', 'private'],
    ['fe80::1', 'link-local'],
    ['febf::1', 'link-local'],
    ['fec0::1', 'private'],
    ['ff02::1', 'multicast'],
    ['::ffff:127.0.0.1', 'loopback'],
    ['::ffff:7f00:1', 'loopback'],
    ['0:0:0:0:0:ffff:a9fe:a9fe', 'link-local'],
    ['::127.0.0.1', 'reserved'],
    ['::ffff:0:127.0.0.1', 'reserved'],
    ['64:ff9b::7f00:1', 'loopback'],
    ['64:ff9b::10.1.2.3', 'private'],
    ['64:ff9b:1::808:808', 'reserved'],
    ['2002:7f00:1::', 'loopback'],
    ['2002:a9fe:a9fe::1', 'link-local'],
    ['2001:0:808:808::1', 'reserved'],
    ['2001:db8::1', 'reserved'],
    ['100::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['::8.8.8.8', 'reserved'],
    ['fe80::1%eth0', 'reserved'],
    ['localhost', 'reserved'],
    ['0x7f.1', 'reserved'],
    ['2130706433', 'reserved'],
    ['', 'reserved'],
  ])('%s: %s', (address, sort) => {
    expect(closedRange(address)).toBe(sort);
  });
});

it.each([
  '1.1.1.1',
  '8.8.8.8',
  '172.32.0.1',
  '100.128.0.1',
  '2606:4700::1111',
  '::ffff:8.8.8.8',
  '64:ff9b::808:808',
  '2002:808:808::1',
])('%s is public', (address) => {
  expect(closedRange(address)).toBeNull();
});

const byte = fc.integer({ min: 0, max: 255 });
const group = fc.oneof(
  fc.integer({ min: 0, max: 0xffff }),
  fc.constantFrom(0, 0xffff, 0x64, 0xff9b, 0x2001, 0x2002, 0xfe80, 0xfc00, 0x7f00),
);

test('no address of the special registries is open, and none that is open becomes closed by being mapped', () => {
  const version4 = fc.tuple(byte, byte, byte, byte).map((parts) => parts.join('.'));
  fc.assert(
    fc.property(version4, (address) => {
      if (oracle.check(address, 'ipv4')) expect(closedRange(address)).not.toBeNull();
      expect(closedRange(`::ffff:${address}`)).toBe(closedRange(address));
      expect(closedRange(`64:ff9b::${address}`)).toBe(closedRange(address));
      expect(unmapped(`::ffff:${address}`)).toBe(address);
    }),
    { numRuns: 3_000 },
  );
  const version6 = fc.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.map((it) => it.toString(16)).join(':'));
  fc.assert(
    fc.property(version6, (address) => {
      if (oracle.check(address, 'ipv6')) expect(closedRange(address)).not.toBeNull();
    }),
    { numRuns: 3_000 },
  );
});

test('the first and the last address of each special range are closed, and IPv4 next to it as the registries say', () => {
  for (const range of special4) {
    const [network, bits] = range.split('/') as [string, string];
    const first = numberOf(network);
    const last = first + 2 ** (32 - Number(bits)) - 1;
    for (const at of [first, last]) expect([range, closedRange(textOf(at))]).not.toEqual([range, null]);
    for (const at of [first - 1, last + 1].filter((it) => it >= 0 && it < 2 ** 32))
      expect([textOf(at), closedRange(textOf(at)) !== null]).toEqual([textOf(at), oracle.check(textOf(at), 'ipv4')]);
  }
});
const numberOf = (address: string): number => address.split('.').reduce((sum, part) => sum * 256 + Number(part), 0);
const textOf = (at: number): string => [24, 16, 8, 0].map((shift) => Math.floor(at / 2 ** shift) % 256).join('.');
