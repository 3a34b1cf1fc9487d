import type { Socket } from 'node:net';
import type { Address, TlsInfo } from '@postern/core';
import { ConversationSocket } from '../over-conversation/conversation-socket.ts';
import { socketTls } from './socket-tls.ts';

/** A connection of a `node:http` server. All its requests share it. */
export class ConnectionInfo {
  readonly remote: Address;
  readonly local: Address;
  readonly store = new Map<symbol, unknown>();
  readonly #socket: Socket;

  constructor(socket: Socket) {
    this.#socket = socket;
    this.remote = addressOf(socket.remoteAddress, socket.remotePort);
    this.local = addressOf(socket.localAddress, socket.localPort);
  }

  get tls(): TlsInfo | undefined {
    const socket = this.#socket;
    return socket instanceof ConversationSocket ? socket.conversation.transport.tls : socketTls(socket);
  }
}

/** Returns the connection of a socket: one object for all calls. */
export function connectionOf(socket: Socket): ConnectionInfo {
  const holder = socket as object as ConnectionHolder;
  holder[CONNECTION] ??= new ConnectionInfo(socket);
  return holder[CONNECTION];
}

function addressOf(text: string | undefined, port: number | undefined): Address {
  if (text === undefined) return { family: 'unix', address: '', port: 0 };
  const address = text.startsWith('::ffff:') && text.includes('.') ? text.slice('::ffff:'.length) : text;
  return { family: address.includes(':') ? 'IPv6' : 'IPv4', address, port: port ?? 0 };
}

/** A socket with the information of its connection. */
interface ConnectionHolder {
  [CONNECTION]?: ConnectionInfo;
}

const CONNECTION = Symbol('connection');
