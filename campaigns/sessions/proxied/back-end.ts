import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';
import type { Random } from '../../fuzz/random.ts';

/** How a back end treats a login: it accepts it, or does something that refuses it. */
export type Behaviour = (typeof BEHAVIOURS)[number];

/** What a back end does in one session, and what it has seen. A character is an octet. */
export interface Visit {
  readonly behaviour: Behaviour;
  /** What the back end sends behind the login, before its echo. */
  readonly push: string;
  /** What came and went behind the login. */
  received: string;
  sent: string;
  /** Resolves when the connection behind the login has closed. */
  closed: Promise<unknown> | undefined;
}

/** Returns a visit with a random behaviour. */
export function visitOf(random: Random): Visit {
  const behaviour = random.below(3) > 0 ? 'works' : random.pick(BEHAVIOURS);
  const push = random.pick(['', '', `* PUSHED ${'x'.repeat(random.below(3_000))}\r\n`, PUSH]);
  return { behaviour, push, received: '', sent: '', closed: undefined };
}

/**
 * A server of IMAP and ManageSieve for all slots. A client in slot N connects to 127.4.N.1. Behind
 * the login the server echoes each octet, up to a LOGOUT.
 */
export class FakeBackEnd implements AsyncDisposable {
  /** The session of each slot. */
  readonly visits = new Map<number, Visit>();
  readonly #server: Server = createServer({ allowHalfOpen: true }, (socket) => this.#serve(socket));
  readonly #words: BackEndWords;
  readonly #sockets = new Set<Socket>();

  constructor(words: BackEndWords) {
    this.#words = words;
  }

  /** Resolves to the port. */
  async listen(): Promise<number> {
    this.#server.listen(0, '0.0.0.0');
    await once(this.#server, 'listening');
    return (this.#server.address() as { readonly port: number }).port;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => {});
    const visit = this.visits.get(Number(/^127\.4\.(\d+)\.1$/.exec(socket.localAddress ?? '')?.[1]));
    if (visit === undefined) return void socket.destroy();
    let [isIn, line] = [false, ''];
    if (visit.behaviour !== 'hangs') socket.write(visit.behaviour === 'garbage' ? GARBAGE : this.#words.greeting);
    if (visit.behaviour === 'closes') socket.end();
    socket.on('data', (octets: Buffer) => {
      if (isIn) return echo(socket, visit, octets.toString('latin1'));
      line += octets.toString('latin1');
      if (!line.endsWith('\r\n') || visit.behaviour === 'hangs') return;
      const reply = this.#words.reply(line, visit.behaviour === 'works');
      line = '';
      if (visit.behaviour === 'resets') return void socket.resetAndDestroy();
      socket.write(reply);
      if (visit.behaviour !== 'works') return;
      isIn = true;
      visit.closed = new Promise((resolve) => socket.once('close', resolve));
      send(socket, visit, visit.push);
    });
    socket.on('end', () => socket.end());
  }
}

/** What a back end says, in one protocol. */
export interface BackEndWords {
  readonly greeting: string;
  /** Returns the reply to the lines of the login. */
  reply(lines: string, isAccepted: boolean): string;
}

export const imapWords: BackEndWords = {
  greeting: '* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] BACK-END\r\n',
  reply: (lines, isAccepted) => {
    const tag = lines.split(' ')[0] ?? '';
    return `${tag} ${isAccepted ? 'OK [CAPABILITY IMAP4rev1 IDLE]' : 'NO'} BACK-END\r\n`;
  },
};

export const sieveWords: BackEndWords = {
  greeting: '"IMPLEMENTATION" "BACK-END"\r\n"SASL" "PLAIN"\r\nOK\r\n',
  reply: (_lines, isAccepted) => (isAccepted ? 'OK "BACK-END"\r\n' : 'NO "BACK-END"\r\n'),
};

function echo(socket: Socket, visit: Visit, octets: string): void {
  visit.received += octets;
  if (socket.writableEnded) return;
  send(socket, visit, octets);
  // The client may send more. The server reads it, and says nothing.
  if (LOGOUT.test(visit.received)) socket.end();
}

function send(socket: Socket, visit: Visit, octets: string): void {
  visit.sent += octets;
  socket.write(Buffer.from(octets, 'latin1'));
}

const BEHAVIOURS = ['works', 'refuses', 'closes', 'hangs', 'garbage', 'resets'] as const;
const GARBAGE = 'BACK-END\0\xff garbage\r\n* OK\n'.repeat(20);
const PUSH = '* 1 FETCH (BODY[] \0\xff\r\n'.repeat(20_000);
const LOGOUT = /(?:^|\s)LOGOUT\r\n/i;
