import type { Socket } from 'node:net';
import type { Address } from '@postern/conversation';

/**
 * Returns the address of the socket's peer, or undefined if the peer has disconnected. A UNIX peer
 * has none.
 */
export function remoteAddress(socket: Socket): Address | undefined {
  const { remoteAddress: text } = socket;
  return text === undefined ? undefined : tcpAddress(text, socket.remotePort ?? 0);
}

/** Returns the address of this end of the socket, or undefined if the socket is closed. */
export function localAddress(socket: Socket): Address | undefined {
  const { localAddress: text } = socket;
  return text === undefined ? undefined : tcpAddress(text, socket.localPort ?? 0);
}

/**
 * Returns the address of an IP address as text. An IPv4-mapped address (`::ffff:192.0.2.1`, RFC
 * 4291 §2.5.5.2) is an IPv4 address.
 */
export function tcpAddress(text: string, port: number): Address {
  const address = text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text;
  return { family: address.includes(':') ? 'IPv6' : 'IPv4', address, port };
}

/** Returns the address of a UNIX socket. A peer that bound no name has an empty path. */
export function unixAddress(path: string): Address {
  return { family: 'unix', address: path, port: 0 };
}
