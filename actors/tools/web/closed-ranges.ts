/**
 * The addresses that no page of the public web has: this machine, its network, and what the registries of IANA set aside.
 * Everything that is not plainly public is closed, so an address of a new sort is closed too.
 */
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';

/** Words for the names that ipaddr.js gives to ranges; a range without a word is `reserved`. */
const words: Readonly<Record<string, string>> = {
  unspecified: 'this machine',
  loopback: 'loopback',
  linkLocal: 'link-local',
  deprecatedSiteLocal: 'private',
  private: 'private',
  uniqueLocal: 'private',
  carrierGradeNat: 'carrier-grade NAT',
  multicast: 'multicast',
  broadcast: 'broadcast',
};

/** A public address that is a service of the machine's own data centre (Azure); those of other providers are in closed ranges. */
const metadata = new Set(['168.63.129.16']);
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');
/** The translation prefix of NAT64 networks, where every public IPv4 address stands behind one of these. */
const translated = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * The address that a connection to this one really reaches: `::ffff:10.0.0.1` is `10.0.0.1`.
 * @returns the text unchanged where it is no mapped address.
 */
export function unmapped(address: string): string {
  const parsed = parsedAddress(address);
  return parsed?.kind() === 'ipv4' ? parsed.toString() : address;
}

/**
 * @param address an IPv4 address of four decimal numbers, or an IPv6 address.
 * @returns the sort of its range in words, such as `private`; null for a public address. A text that is no address is `reserved`.
 */
export function closedRange(address: string): string | null {
  const parsed = parsedAddress(address);
  if (parsed === null) return 'reserved';
  if (parsed.kind() === 'ipv4') return ofVersion4(parsed as ipaddr.IPv4);
  const { parts } = parsed as ipaddr.IPv6;
  const range = parsed.range();
  // The tunnels 6to4 and NAT64 carry an IPv4 address, and lead there.
  if (range === '6to4') return ofVersion4(version4(parts[1]!, parts[2]!));
  if (parsed.match(translated)) return ofVersion4(version4(parts[6]!, parts[7]!));
  return range === 'unicast' && parsed.match(globalUnicast) ? null : (words[range] ?? 'reserved');
}

/** The address, or the IPv4 address that is mapped into it. */
function parsedAddress(address: string): ipaddr.IPv4 | ipaddr.IPv6 | null {
  const family = isIP(address);
  if (family === 4) return ipaddr.IPv4.parse(address);
  // Only the URL tells `::1.2.3.4` from `::ffff:1.2.3.4`, and it takes no zone.
  const url = family === 6 && URL.canParse(`http://[${address}]`) ? new URL(`http://[${address}]`) : null;
  return url && ipaddr.process(url.hostname.slice(1, -1));
}

function ofVersion4(address: ipaddr.IPv4): string | null {
  if (metadata.has(address.toString())) return 'metadata service';
  const range = address.range();
  return range === 'unicast' ? null : (words[range] ?? 'reserved');
}

const version4 = (high: number, low: number): ipaddr.IPv4 => new ipaddr.IPv4([high >> 8, high & 255, low >> 8, low & 255]);
