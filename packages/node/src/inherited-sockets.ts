import { lookup } from 'node:dns/promises';
import { readlinkSync, realpathSync } from 'node:fs';
import { isIP, SocketAddress } from 'node:net';
import { basename, dirname, join, resolve } from 'node:path';
import type { Address } from '@postern/conversation';
import type { Endpoint } from './endpoint.ts';
import { socketAddressesByInode } from './socket-table.ts';

/** A listening socket that another program bound and passed on at the start of this process. */
export interface InheritedSocket {
  readonly fd: number;
  /** The socket's name, such as systemd's `FileDescriptorName`. Empty if it has none. */
  readonly name: string;
  /** Undefined if the system does not list the socket: then its `name` may be a UNIX path. */
  readonly address: Address | undefined;
}

/**
 * The sockets of a process that a service manager started (sd_listen_fds(3)). A listener uses the
 * one with the address of its endpoint instead of a socket of its own.
 */
export class InheritedSockets {
  readonly sockets: readonly InheritedSocket[];
  readonly #used = new Set<InheritedSocket>();

  constructor(sockets: readonly InheritedSocket[] = []) {
    this.sockets = sockets;
  }

  /**
   * Returns the sockets of `LISTEN_FDS` and `LISTEN_FDNAMES`, if `LISTEN_PID` is this process.
   * Removes these variables, so that no child process takes the sockets for its own.
   */
  static take({ env, pid }: { readonly env: NodeJS.ProcessEnv; readonly pid: number }): InheritedSockets {
    const { LISTEN_PID, LISTEN_FDS, LISTEN_FDNAMES } = env;
    for (const variable of VARIABLES) delete env[variable];
    const count = Number(LISTEN_FDS);
    if (Number(LISTEN_PID) !== pid || !Number.isInteger(count) || count < 1) return new InheritedSockets();
    const names = LISTEN_FDNAMES?.split(':') ?? [];
    const addresses = socketAddressesByInode();
    return new InheritedSockets(
      Array.from({ length: Math.min(count, MAX_SOCKETS) }, (_, index) => {
        const fd = FIRST_FD + index;
        return { fd, name: names[index] ?? '', address: addresses.get(inodeOf(fd)) };
      }),
    );
  }

  /** Resolves to the socket with the address of the endpoint, or to undefined. */
  async find(endpoint: Endpoint): Promise<InheritedSocket | undefined> {
    if (this.sockets.length === 0) return undefined;
    if ('path' in endpoint) return this.sockets.find((socket) => hasPath(socket, endpoint.path));
    const hosts = await addressesOf(endpoint.host);
    return this.sockets.find(
      ({ address }) =>
        address !== undefined &&
        address.family !== 'unix' &&
        address.port === endpoint.port &&
        hosts.includes(address.address),
    );
  }

  /** Finds the socket of an endpoint, and marks it as used. A socket has one listener. */
  async use(endpoint: Endpoint): Promise<InheritedSocket | undefined> {
    const socket = await this.find(endpoint);
    if (socket === undefined || this.#used.has(socket)) return undefined;
    this.#used.add(socket);
    return socket;
  }
}

function hasPath({ name, address }: InheritedSocket, path: string): boolean {
  if (address === undefined) return name === path;
  return address.family === 'unix' && canonicalPath(address.address) === canonicalPath(path);
}

/** `/var/run` is a symbolic link to `/run` on many machines. */
function canonicalPath(path: string): string {
  if (path.startsWith('\0')) return path;
  const absolute = resolve(path);
  try {
    return join(realpathSync(dirname(absolute)), basename(absolute));
  } catch {
    return absolute;
  }
}

/** Resolves to the addresses of a host as `socketAddressesByInode` writes them. */
async function addressesOf(host: string): Promise<readonly string[]> {
  if (host === '*') return ['::', '0.0.0.0'];
  if (isIP(host) === 4) return [host];
  // An IPv6 address has many spellings.
  if (isIP(host) === 6) return [new SocketAddress({ family: 'ipv6', address: host }).address];
  const found = await lookup(host, { all: true }).catch(() => []);
  return found.map(({ address }) => address);
}

/** Returns the inode of the socket, or an empty text. */
function inodeOf(fd: number): string {
  try {
    return /^socket:\[(\d+)\]$/.exec(readlinkSync(`/proc/self/fd/${fd}`))?.[1] ?? '';
  } catch {
    return '';
  }
}

/** `SD_LISTEN_FDS_START` of sd_listen_fds(3). */
const FIRST_FD = 3;
const MAX_SOCKETS = 1_000;
const VARIABLES = ['LISTEN_FDS', 'LISTEN_FDNAMES', 'LISTEN_PID', 'LISTEN_PIDFDID'] as const;
