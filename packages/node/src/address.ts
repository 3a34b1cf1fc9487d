import { isIPv4, type Socket } from 'node:net';
import type { Address } from '@postern/conversation';

/** Where the socket's peer is, or undefined if it has left already. A UNIX peer has no address. */
export function remoteAddress(socket: Socket): Address | undefined {
  return socket.remoteAddress === undefined ? undefined : tcpAddress(socket.remoteAddress, socket.remotePort ?? 0);
}

/** Our end of the socket, or undefined if it is closed. */
export function localAddress(socket: Socket): Address | undefined {
  return socket.localAddress === undefined ? undefined : tcpAddress(socket.localAddress, socket.localPort ?? 0);
}

/** An address as text; an IPv4 address in IPv6's clothes (`::ffff:192.0.2.1`, RFC 4291 §2.5.5.2) is an IPv4 address. */
export function tcpAddress(text: string, port: number): Address {
  const address = text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text;
  return { family: isIPv4(address) ? 'IPv4' : 'IPv6', address, port };
}

/** A UNIX socket's end; a peer that bound no name has an empty path. */
export function unixAddress(path: string): Address {
  return { family: 'unix', address: path, port: 0 };
}
