import { readFileSync } from 'node:fs';
import { SocketAddress } from 'node:net';
import { endianness } from 'node:os';
import type { Address } from '@postern/conversation';
import { tcpAddress, unixAddress } from './address.ts';

/**
 * Returns the addresses of the listening sockets in this network namespace by their inodes: proc(5)
 * has them, and Node does not report the path of a socket that it has not bound.
 */
export function socketAddressesByInode(): ReadonlyMap<string, Address> {
  const addresses = new Map<string, Address>();
  for (const line of linesOf('unix')) {
    const [, flags = '', inode = '', path = ''] = UNIX_LINE.exec(line) ?? [];
    if ((Number.parseInt(flags, 16) & ACCEPTS_CONNECTIONS) === 0) continue;
    // An `@` stands for the NUL of a name in the abstract namespace (unix(7)).
    addresses.set(inode, unixAddress(path.replace(/^@/, '\0')));
  }
  for (const line of [...linesOf('tcp'), ...linesOf('tcp6')]) {
    const [, host = '', port = '', inode] = TCP_LINE.exec(line) ?? [];
    if (inode !== undefined) addresses.set(inode, tcpAddress(hostOf(host), Number.parseInt(port, 16)));
  }
  return addresses;
}

/** Returns the lines of a table, and none on a system without it. */
function linesOf(table: 'unix' | 'tcp' | 'tcp6'): readonly string[] {
  try {
    return readFileSync(`/proc/self/net/${table}`, 'utf8').split('\n');
  } catch {
    return [];
  }
}

/** The table has each 32 bits of an address as a number of this machine. */
function hostOf(hex: string): string {
  const bytes = Buffer.from(hex, 'hex');
  if (endianness() === 'LE') bytes.swap32();
  if (bytes.length === 4) return bytes.join('.');
  const groups = Array.from({ length: 8 }, (_, index) => bytes.readUInt16BE(2 * index).toString(16));
  return new SocketAddress({ family: 'ipv6', address: groups.join(':') }).address;
}

/** `Num RefCount Protocol Flags Type St Inode Path`, of which the last may contain blanks. */
const UNIX_LINE = /^\S+ \S+ \S+ ([\dA-F]{8}) 0001 \S+ +(\d+) (.+)$/;
/** `__SO_ACCEPTCON` of Linux. */
const ACCEPTS_CONNECTIONS = 0x1_00_00;
/** The state 0A is LISTEN. */
const TCP_LINE = /^ *\d+: ([\dA-F]{8}|[\dA-F]{32}):([\dA-F]{4}) \S+ 0A(?: +\S+){5} +(\d+) /;
