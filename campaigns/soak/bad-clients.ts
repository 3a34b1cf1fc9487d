import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';

/** One way to be a bad client, on a connection of its own. */
interface BadClient {
  /** Sent as soon as the connection is there. */
  readonly first: string;
  /** Sent again with each answer. */
  readonly again?: string;
  /** Sent again twenty times a second, whatever comes. */
  readonly drip?: string;
  /** True for a client that never reads. */
  readonly isDeaf?: boolean;
  /** How long the client stays at most, in milliseconds. */
  readonly stay: number;
}

/** Behaves badly in ways that vary, until the signal aborts. */
export async function misbehave(ports: readonly number[], signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const port = ports[randomInt(ports.length)] as number;
    const client = BAD_CLIENTS[randomInt(BAD_CLIENTS.length)] as BadClient;
    await visit(port, client, signal);
    await pause(randomInt(10, 100));
  }
}

async function visit(
  port: number,
  { first, again, drip, isDeaf, stay }: BadClient,
  signal: AbortSignal,
): Promise<void> {
  const localAddress = `127.${randomInt(1, 250)}.${randomInt(250)}.${randomInt(1, 250)}`;
  const socket = connect({ port, host: '127.0.0.1', localAddress });
  const end = AbortSignal.any([signal, AbortSignal.timeout(randomInt(stay / 4, stay))]);
  const leave = (): void => void socket.destroy();
  end.addEventListener('abort', leave, { once: true });
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  socket.on('error', leave);
  const timer = drip === undefined ? undefined : setInterval(() => write(socket, drip), 50);
  try {
    await Promise.race([once(socket, 'connect'), closed]);
    write(socket, first);
    if (isDeaf !== true) {
      socket.on('data', () => {
        if (again !== undefined && socket.writableLength === 0) write(socket, again);
      });
    }
    await closed;
  } catch {
    // The server may refuse the connection.
  } finally {
    clearInterval(timer);
    socket.destroy();
    end.removeEventListener('abort', leave);
  }
}

function write(socket: Socket, text: string): void {
  if (!socket.destroyed && socket.writable) socket.write(Buffer.from(text, 'latin1'));
}

/** The wrong password of guessers. */
export const WRONG_PASSWORD = 'wrong-Secret-2';
const EHLO = 'EHLO x.example.com\r\n';
const TRANSACTION = 'MAIL FROM:<a@example.com>\r\nRCPT TO:<ann@example.com>\r\n';
const GUESS = `AUTH PLAIN ${Buffer.from(`\0ann\0${WRONG_PASSWORD}`).toString('base64')}\r\n`;
const GUESS_OF_NOBODY = `AUTH PLAIN ${Buffer.from(`\0nobody\0${WRONG_PASSWORD}`).toString('base64')}\r\n`;
const POP3_GUESS = `USER ann\r\nPASS ${WRONG_PASSWORD}\r\n`;
/** A record of TLS that says that 512 octets follow. */
const HALF_HANDSHAKE = `\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03${'x'.repeat(100)}`;

const BAD_CLIENTS: readonly BadClient[] = [
  { first: EHLO + GUESS, again: GUESS, stay: 4_000 },
  { first: EHLO + GUESS_OF_NOBODY, again: GUESS_OF_NOBODY, stay: 4_000 },
  { first: `${EHLO}AUTH LOGIN\r\n`, stay: 10_000 },
  { first: '', stay: 20_000 },
  { first: EHLO + 'NOOP\r\n'.repeat(5_000), isDeaf: true, stay: 10_000 },
  { first: `${EHLO}${TRANSACTION}DATA\r\n`, drip: 'slowly\r\n', stay: 20_000 },
  { first: EHLO, drip: 'N', stay: 20_000 },
  { first: EHLO.repeat(50), again: EHLO.repeat(50), stay: 2_000 },
  { first: EHLO, again: 'NOOP\r\n'.repeat(200), stay: 2_000 },
  { first: EHLO, again: `${TRANSACTION}RSET\r\n`.repeat(50), stay: 2_000 },
  { first: EHLO, again: `${TRANSACTION}${'BDAT 1\r\nx'.repeat(200)}RSET\r\n`, stay: 2_000 },
  { first: `${EHLO}${TRANSACTION}BDAT 100000\r\nhalf`, stay: 5_000 },
  { first: `${EHLO}STARTTLS\r\n`, again: HALF_HANDSHAKE, stay: 3_000 },
  { first: HALF_HANDSHAKE, stay: 3_000 },
  { first: POP3_GUESS, again: POP3_GUESS, stay: 4_000 },
  { first: 'CAPA\r\n'.repeat(2_000), isDeaf: true, stay: 10_000 },
  { first: 'USER ann\r\nAUTH LOGIN\r\n', drip: '=', stay: 10_000 },
  { first: `${EHLO}MAIL FROM:<${'a'.repeat(3_000)}>\r\n`, again: 'x'.repeat(20_000), stay: 1_000 },
];
