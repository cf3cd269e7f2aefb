import { BlockList, isIP } from 'node:net';

/**
 * Whether an IP address is one of the public internet's: not link-local, loopback, private, shared, documentation,
 * benchmark, multicast or reserved (IANA special-purpose registries, RFC 6890), in IPv4, IPv6 or IPv4 inside IPv6.
 */
export function isPublicAddress(address: string): boolean {
  const bare = address.split('%')[0] ?? '';
  const family = isIP(bare);
  if (family === 4) return !special.check(bare, 'ipv4');
  return family === 6 && globalUnicast.check(bare, 'ipv6') && !special.check(bare, 'ipv6');
}

/** 127.0.0.0/8 and ::1. */
export function isLoopback(address: string): boolean {
  const family = isIP(address);
  return family === 4 ? loopback.check(address, 'ipv4') : family === 6 && ipv6Loopback.check(address, 'ipv6');
}

/**
 * Whether an IP address is one that organisations give to their own machines: RFC 1918, shared address space (RFC 6598) and unique local
 * IPv6 (RFC 4193). Never one where a cloud answers with credentials or metadata, never link-local, and never IPv4 inside IPv6.
 */
export function isPrivateAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return privateIpv4.check(address, 'ipv4') && !metadata.check(address, 'ipv4');
  return family === 6 && privateIpv6.check(address, 'ipv6') && !metadata.check(address, 'ipv6');
}

const special = new BlockList();
for (const [net, bits] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  special.addSubnet(net, bits, 'ipv4');
for (const [net, bits] of [
  ['2001::', 23],
  ['2001:db8::', 32],
  ['2002::', 16],
  ['3fff::', 20],
] as const)
  special.addSubnet(net, bits, 'ipv6');

/** Everything outside 2000::/3 is special: ::, ::1, IPv4-mapped, NAT64, unique local, link-local, multicast. */
const globalUnicast = new BlockList();
globalUnicast.addSubnet('2000::', 3, 'ipv6');

/** Two lists, because a list of both families takes IPv4 inside IPv6 for IPv4. */
const privateIpv4 = new BlockList();
privateIpv4.addSubnet('10.0.0.0', 8, 'ipv4');
privateIpv4.addSubnet('100.64.0.0', 10, 'ipv4');
privateIpv4.addSubnet('172.16.0.0', 12, 'ipv4');
privateIpv4.addSubnet('192.168.0.0', 16, 'ipv4');
const privateIpv6 = new BlockList();
privateIpv6.addSubnet('fc00::', 7, 'ipv6');

/** Inside private networks: EC2's metadata, pod identity, DNS and time; Google's metadata; Alibaba's metadata. */
const metadata = new BlockList();
metadata.addSubnet('fd00:ec2::', 32, 'ipv6');
metadata.addAddress('fd20:ce::254', 'ipv6');
metadata.addAddress('100.100.100.200', 'ipv4');

const loopback = new BlockList();
loopback.addSubnet('127.0.0.0', 8, 'ipv4');
const ipv6Loopback = new BlockList();
ipv6Loopback.addAddress('::1', 'ipv6');
