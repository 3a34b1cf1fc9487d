/** One work of the bench, as data: what the clients do, and which ratios are asked. */
export interface Work {
  readonly id: string;
  readonly title: string;
  /** The load generator's word for it. */
  readonly load: 'session' | 'login' | 'scram' | 'single' | 'batched' | 'pipelined' | 'bulk';
  /** The operation whose cost is measured. */
  readonly unit: 'session' | 'message' | 'login' | 'request' | 'MiB';
  readonly connections: number;
  readonly body?: Body;
  /** TLS from the first octet: each connection with a full handshake, or with a resumed session. */
  readonly tls?: 'full' | 'resumed';
  readonly asked: Asked;
  /** True if its cost stays the same after the first window, so that there is no second one. */
  readonly isSteady?: boolean;
  /** Servers that cannot do it, or that no figure is asked of. */
  readonly without?: readonly string[];
}

/** The line that a message's body repeats, as sent, and the size of the message. */
export interface Body {
  readonly line: string;
  readonly octets: number;
}

/** The ratios that are asked of `postern serve`. */
export interface Asked {
  /** The greatest ratio of its CPU time per operation to that of {@link BASELINE}. */
  readonly baseline?: number;
  /** The least ratio of its rate by the clock to that of smtp-server. */
  readonly smtpServer?: number;
}

/** The commit that `Asked.baseline` compares with. */
export const BASELINE = '13e3f6ec8c8b931d1e7c8baea7a0acba6d76dfee';

const KIB = 1024;
const MIB = 1024 * KIB;
const line = 'The quick brown fox jumps over the lazy dog, and the dog does not mind it.';
const small: Body = { line: `${line}\r\n`, octets: KIB };
const large: Body = { line: `${line}\r\n`, octets: 10 * MIB };
const stuffed: Body = { line: `..${line}\r\n`, octets: 10 * MIB };
const dots: Body = { line: '..\r\n', octets: 10 * MIB };

export const works: readonly Work[] = [
  {
    id: 'a',
    title: 'connect, EHLO, AUTH PLAIN, one 1 KiB message, QUIT',
    load: 'session',
    unit: 'session',
    connections: 64,
    body: small,
    asked: { baseline: 0.62, smtpServer: 1.5 },
  },
  {
    id: 'b',
    title: '1 KiB messages on open authenticated connections, one command at a time',
    load: 'single',
    unit: 'message',
    connections: 64,
    body: small,
    asked: { baseline: 0.72, smtpServer: 1.5 },
  },
  {
    id: 'c',
    title: '1 KiB messages, MAIL, RCPT and DATA in one write',
    load: 'batched',
    unit: 'message',
    connections: 64,
    body: small,
    asked: { baseline: 0.7, smtpServer: 1.9 },
  },
  {
    id: 'd',
    title: "1 KiB messages, the next message's commands behind the last one's data",
    load: 'pipelined',
    unit: 'message',
    connections: 64,
    body: small,
    asked: { baseline: 0.6, smtpServer: 2.9 },
  },
  {
    id: 'e1',
    title: '10 MiB messages',
    load: 'bulk',
    unit: 'MiB',
    isSteady: true,
    connections: 4,
    body: large,
    asked: { baseline: 1.05 },
  },
  {
    id: 'e2',
    title: '10 MiB messages with a stuffed dot on every line',
    load: 'bulk',
    unit: 'MiB',
    isSteady: true,
    connections: 4,
    body: stuffed,
    asked: { baseline: 1.05 },
  },
  {
    id: 'e3',
    title: '10 MiB messages of nothing but stuffed dots',
    load: 'bulk',
    unit: 'MiB',
    isSteady: true,
    connections: 1,
    body: dots,
    asked: { baseline: 1.05 },
  },
  {
    id: 'f1',
    title: 'connect, EHLO, AUTH PLAIN, QUIT',
    load: 'login',
    unit: 'login',
    connections: 64,
    asked: { baseline: 0.62, smtpServer: 1.5 },
  },
  {
    id: 'f2',
    title: 'connect, EHLO, AUTH SCRAM-SHA-256, QUIT',
    load: 'scram',
    unit: 'login',
    connections: 64,
    asked: { baseline: 0.69 },
    without: ['smtp-server'],
  },
  {
    id: 't1',
    title: 'TLS 1.3 with a full handshake (ECDSA P-256), EHLO, AUTH PLAIN, one 1 KiB message, QUIT',
    load: 'session',
    unit: 'session',
    connections: 64,
    body: small,
    tls: 'full',
    asked: {},
    without: ['library', 'before-library'],
  },
  {
    id: 't2',
    title: 'TLS 1.3 with a resumed session, EHLO, AUTH PLAIN, one 1 KiB message, QUIT',
    load: 'session',
    unit: 'session',
    connections: 64,
    body: small,
    tls: 'resumed',
    asked: {},
    without: ['library', 'before-library'],
  },
  {
    id: 't3',
    title: '10 MiB messages over TLS 1.3',
    load: 'bulk',
    unit: 'MiB',
    isSteady: true,
    connections: 4,
    body: large,
    tls: 'full',
    asked: {},
    without: ['library', 'before-library'],
  },
];
