/** One work of the bench: a row of its table, as data. */
export interface Work {
  readonly id: string;
  readonly title: string;
  /** The load generator's word for it. */
  readonly load: 'session' | 'login' | 'scram' | 'single' | 'batched' | 'pipelined' | 'bulk';
  /** What is counted. */
  readonly unit: 'sessions/s' | 'messages/s' | 'logins/s' | 'MiB/s';
  readonly connections: number;
  readonly body?: Body;
  /** The least ratio to each rival's rate; undefined where none is required. */
  readonly asked: Partial<Record<Rival, number>>;
  /** Servers that cannot do it. */
  readonly without?: readonly Rival[];
}

/** The line that a message's body repeats, as sent, and the size of the message. */
export interface Body {
  readonly line: string;
  readonly octets: number;
}

export type Rival = 'bare' | 'smtp-server';

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
    unit: 'sessions/s',
    connections: 64,
    body: small,
    asked: { bare: 0.88, 'smtp-server': 1.4 },
  },
  {
    id: 'b',
    title: '1 KiB messages on open authenticated connections, one command at a time',
    load: 'single',
    unit: 'messages/s',
    connections: 64,
    body: small,
    asked: { bare: 0.86, 'smtp-server': 1.35 },
  },
  {
    id: 'c',
    title: 'the same, MAIL+RCPT+DATA in one write',
    load: 'batched',
    unit: 'messages/s',
    connections: 64,
    body: small,
    asked: { bare: 0.85, 'smtp-server': 2.3 },
  },
  {
    id: 'd',
    title: "the same, the next message's commands behind the last one's data",
    load: 'pipelined',
    unit: 'messages/s',
    connections: 64,
    body: small,
    asked: { bare: 0.7, 'smtp-server': 3.3 },
  },
  {
    id: 'e1',
    title: '10 MiB messages',
    load: 'bulk',
    unit: 'MiB/s',
    connections: 4,
    body: large,
    asked: { bare: 0.85, 'smtp-server': 4 },
  },
  {
    id: 'e2',
    title: '10 MiB messages with a stuffed dot on every line',
    load: 'bulk',
    unit: 'MiB/s',
    connections: 4,
    body: stuffed,
    asked: { bare: 0.65, 'smtp-server': 5 },
  },
  {
    id: 'e3',
    title: '10 MiB messages of nothing but stuffed dots',
    load: 'bulk',
    unit: 'MiB/s',
    connections: 1,
    body: dots,
    asked: { 'smtp-server': 50 },
  },
  {
    id: 'f1',
    title: 'connect, EHLO, AUTH PLAIN, QUIT',
    load: 'login',
    unit: 'logins/s',
    connections: 64,
    asked: { bare: 0.9, 'smtp-server': 1.5 },
  },
  {
    id: 'f2',
    title: 'connect, EHLO, AUTH SCRAM-SHA-256, QUIT',
    load: 'scram',
    unit: 'logins/s',
    connections: 64,
    asked: { bare: 0.85 },
    without: ['smtp-server'],
  },
];

/** Work g: the numbers of open connections at the first and the second measurement. */
export const idle = {
  id: 'g',
  title: 'RSS of an idle authenticated connection',
  from: 1000,
  to: 6000,
  /** The greatest ratio to each rival's memory. `kib` is the greatest size in KiB. */
  asked: { bare: 2.2, 'smtp-server': 0.5 } satisfies Record<Rival, number>,
  kib: 6,
};

/**
 * Work h: work b by several processes that share a port, compared with one process. Their cores are
 * added to the load generator's.
 */
export const workers = {
  id: 'h',
  title: 'postern serve --workers',
  work: 'b',
  /** The least ratio to one worker. The first row for which the machine has enough cores counts. */
  asked: [
    { workers: 4, times: 2.8 },
    { workers: 2, times: 1.6 },
  ],
};
