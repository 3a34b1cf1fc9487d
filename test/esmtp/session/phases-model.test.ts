import { Conversation } from '@postern/conversation';
import { Rejection } from '@postern/esmtp';
import { type MemoryTransport, memoryPipe, settle } from '@postern/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../support/fuzz.ts';
import { Server } from '../server.ts';

interface Transaction {
  recipients: number;
  text: string;
  hasChunks: boolean;
  /** True after DATA behind a chunk: chunks are refused up to RSET or the last (RFC 3030 §2). */
  isMixed: boolean;
}

/** A session as RFC 5321 §4.1.4, RFC 3207 §4, RFC 4954 §4 and RFC 3030 §2 have it. */
interface Model {
  greeting: 'none' | 'HELO' | 'EHLO';
  tls: boolean;
  authenticated: boolean;
  transaction: Transaction | undefined;
  readonly delivered: { recipients: number; text: string }[];
  closed: boolean;
}

/** A client's step: the line, the code of its reply, and the effect on the model. */
interface Step {
  readonly line: string;
  readonly expected: (model: Model) => number;
  readonly effect?: (model: Model) => void;
  /** The effect of a negative reply. */
  readonly refusedEffect?: (model: Model) => void;
  /** The octets behind the line: sent at once for BDAT, and after a 354 for DATA. */
  readonly data?: string;
}

const NEEDS_GREETING = 503;
const NEEDS_LOGIN = 530;
const OUT_OF_SEQUENCE = 503;

/** Returns `code` where the model allows the command, else the code of its refusal. */
function ordered(code: number, allowed: (model: Model) => boolean, { beforeLogin = false } = {}) {
  return (model: Model): number => {
    if (model.greeting === 'none' && !allowed(model)) return NEEDS_GREETING;
    if (!model.authenticated && !beforeLogin) return NEEDS_LOGIN;
    return allowed(model) ? code : OUT_OF_SEQUENCE;
  };
}

function greet(greeting: 'HELO' | 'EHLO'): Step {
  return {
    line: `${greeting} client.example.org`,
    expected: () => 250,
    effect: (model) => {
      model.greeting = greeting;
      model.transaction = undefined;
    },
  };
}

function auth(password: string): Step {
  const allowed = ({ greeting, authenticated }: Model): boolean => greeting === 'EHLO' && !authenticated;
  return {
    line: `AUTH PLAIN ${Buffer.from(`\0ann\0${password}`).toString('base64')}`,
    expected(model) {
      const code = ordered(235, allowed, { beforeLogin: true })(model);
      if (code !== 235) return code;
      if (!model.tls) return 538;
      return password === 'secret' ? 235 : 535;
    },
    effect: (model) => {
      model.authenticated = true;
    },
  };
}

const steps: readonly Step[] = [
  greet('EHLO'),
  greet('EHLO'),
  greet('HELO'),
  {
    line: 'STARTTLS',
    expected(model) {
      if (model.transaction !== undefined) return OUT_OF_SEQUENCE;
      return model.tls ? OUT_OF_SEQUENCE : 220;
    },
    effect: (model) => {
      model.tls = true;
      model.greeting = 'none';
      model.authenticated = false;
    },
  },
  auth('secret'),
  auth('secret'),
  auth('wrong'),
  {
    line: 'MAIL FROM:<ann@example.com>',
    expected: ordered(250, ({ greeting, transaction }) => greeting !== 'none' && transaction === undefined),
    effect: (model) => {
      model.transaction = { recipients: 0, text: '', hasChunks: false, isMixed: false };
    },
  },
  ...[250, 550].map(
    (code): Step => ({
      line: `RCPT TO:<${code === 250 ? 'bob' : 'unknown'}@example.com>`,
      expected: ordered(code, ({ transaction }) => transaction !== undefined && !transaction.hasChunks),
      effect: ({ transaction }) => {
        if (transaction !== undefined) transaction.recipients++;
      },
    }),
  ),
  {
    line: 'DATA',
    data: 'by DATA\r\n.\r\n',
    expected: ordered(354, ({ transaction }) => (transaction?.recipients ?? 0) > 0 && !transaction?.hasChunks),
    effect: (model) => deliver(model, 'by DATA\r\n'),
    refusedEffect: ({ transaction }) => {
      if (transaction?.hasChunks) transaction.isMixed = true;
    },
  },
  ...['BDAT 9', 'BDAT 9 LAST', 'BDAT 0 LAST'].map(
    (line): Step => ({
      line,
      data: line.startsWith('BDAT 9') ? 'by BDAT\r\n' : '',
      expected: ordered(
        250,
        ({ greeting, transaction }) =>
          greeting === 'EHLO' && (transaction?.recipients ?? 0) > 0 && transaction?.isMixed === false,
      ),
      refusedEffect: (model) => {
        if (model.transaction?.isMixed && line.endsWith('LAST')) model.transaction = undefined;
      },
      effect: (model) => {
        const { transaction } = model;
        if (transaction === undefined) return;
        transaction.hasChunks = true;
        if (line.startsWith('BDAT 9')) transaction.text += 'by BDAT\r\n';
        if (line.endsWith('LAST')) deliver(model, transaction.text);
      },
    }),
  ),
  {
    line: 'RSET',
    expected: () => 250,
    effect: (model) => {
      model.transaction = undefined;
    },
  },
  { line: 'NOOP', expected: ordered(250, () => true, { beforeLogin: true }) },
  { line: 'VRFY bob', expected: ordered(252, () => true) },
  { line: 'HELP', expected: ordered(214, () => true) },
  { line: 'XYZZY', expected: () => 500 },
  {
    line: 'QUIT',
    expected: () => 221,
    effect: (model) => {
      model.closed = true;
    },
  },
];

/** The steps to a message of which a chunk has come. */
const TRANSACTION = ['EHLO', 'STARTTLS', 'EHLO', 'AUTH', 'MAIL', 'RCPT', 'BDAT'].map(
  (verb) => steps.find(({ line }) => line.startsWith(verb)) as Step,
);

/** The codes that some session must get for a command. */
const REACHED: readonly (readonly [string, readonly number[]])[] = [
  ['STARTTLS', [220, 503]],
  ['AUTH', [235, 503, 535, 538]],
  ['MAIL', [250, 503, 530]],
  ['RCPT TO:<bob', [250, 503, 530]],
  ['RCPT TO:<unknown', [550]],
  ['DATA', [354, 503, 530]],
  ['BDAT 9', [250, 503, 530]],
  ['BDAT 9 LAST', [250, 503, 530]],
  ['BDAT 0 LAST', [250, 503]],
  ['VRFY', [252, 530]],
];

function deliver(model: Model, text: string): void {
  model.delivered.push({ recipients: model.transaction?.recipients ?? 0, text });
  model.transaction = undefined;
}

/** A client with a session of a server, over a connection in memory. */
class Client {
  readonly server = new Server({
    limits: { maxErrors: 10_000, maxLoginFailures: 10_000, undelayedLoginFailures: 10_000, maxJunkCommands: 10_000 },
  });
  readonly ended: Promise<void>;
  readonly #transport: MemoryTransport;

  constructor() {
    const { client, server } = memoryPipe({ tlsPolicy: 'offered' });
    this.#transport = client;
    this.server.delivery.onTo = ({ localPart }) => {
      if (localPart === 'unknown') throw new Rejection(550, '5.1.1', 'No such user');
    };
    this.ended = this.server.protocol(new Conversation(server));
  }

  /** Sends the text, and resolves with the replies to it. */
  async send(text: string): Promise<string> {
    await this.#transport.write(text);
    return await this.hear();
  }

  /** Resolves with all that the server says until it waits. */
  async hear(): Promise<string> {
    let heard = '';
    for (;;) {
      await settle();
      const chunk = this.#transport.read();
      if (typeof chunk === 'string') return heard;
      heard += Buffer.from(chunk).toString('latin1');
    }
  }

  async startTls(): Promise<void> {
    await this.#transport.startTls?.();
  }

  async close(): Promise<void> {
    this.#transport.end();
    await this.hear();
    await this.ended;
    this.#transport.destroy();
  }
}

class StepCommand implements fc.AsyncCommand<Model, Client> {
  readonly #step: Step;
  /** Each line with each code of its reply, of all sessions. */
  readonly #seen: Set<string>;

  constructor(step: Step, seen: Set<string>) {
    this.#step = step;
    this.#seen = seen;
  }

  check({ closed }: Readonly<Model>): boolean {
    return !closed;
  }

  async run(model: Model, client: Client): Promise<void> {
    const { line, data = '', expected, effect, refusedEffect } = this.#step;
    const code = expected(model);
    const isData = line === 'DATA';
    let reply = await client.send(`${line}\r\n${isData ? '' : data}`);
    expect([line, codesOf(reply)]).toEqual([line, [code]]);
    this.#seen.add(`${line} ${code}`);
    if (code === 220) await client.startTls();
    if (code === 354) {
      reply = await client.send(data);
      expect(codesOf(reply)).toEqual([250]);
    }
    if (code < 400) effect?.(model);
    else refusedEffect?.(model);
    expect(
      client.server.delivery.delivered.map(({ envelope, text }) => [envelope.recipients.length, body(text)]),
    ).toEqual(model.delivered.map(({ recipients, text }) => [recipients, text]));
    expect(client.server.portal.openLogins).toBe(model.authenticated && !model.closed ? 1 : 0);
  }

  toString(): string {
    return this.#step.line;
  }
}

test('a session replies and delivers as the model of its phases does', async () => {
  const seen = new Set<string>();
  const commands = fc.commands(
    steps.map((step) => fc.constant(new StepCommand(step, seen))),
    { maxCommands: 30 },
  );
  await fc.assert(
    fc.asyncProperty(fc.nat({ max: TRANSACTION.length }), commands, async (begun, list) => {
      const client = new Client();
      expect(await client.hear()).toMatch(/^220 /);
      const model: Model = {
        greeting: 'none',
        tls: false,
        authenticated: false,
        transaction: undefined,
        delivered: [],
        closed: false,
      };
      for (const step of TRANSACTION.slice(0, begun)) await new StepCommand(step, seen).run(model, client);
      await fc.asyncModelRun(() => ({ model, real: client }), list);
      await client.close();
      const { delivery, events, portal } = client.server;
      const count = (name: string): number => delivery.calls.filter((call) => call === name).length;
      expect(count('end') + count('abort')).toBe(count('open'));
      expect(portal.openLogins).toBe(0);
      expect(events.filter(({ kind }) => kind === 'error')).toEqual([]);
    }),
    { numRuns: runs(300, 200) },
  );
  // The sessions have reached each phase.
  for (const { line } of steps) expect([...seen].filter((each) => each.startsWith(`${line} `))).not.toEqual([]);
  for (const [line, codes] of REACHED) {
    expect(
      codes.filter((code) => ![...seen].some((each) => each.startsWith(line) && each.endsWith(`${code}`))),
    ).toEqual([]);
  }
});

/** Returns the code of each reply, multi-line replies as one. */
function codesOf(replies: string): readonly number[] {
  return [...replies.matchAll(/^(\d{3})(?: .*)?\r\n/gm)].map(([, code]) => Number(code));
}

/** Returns the message as the client sent it, without the server's Received field. */
function body(text: string): string {
  return text.replace(/^Received:.*(?:\r\n[ \t].*)*\r\n/, '');
}
