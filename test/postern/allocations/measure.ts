// node --conditions=postern-source --min-semi-space-size=64 --max-semi-space-size=64 \
//   measure.ts command|library|none
// Prints the octets of the JavaScript heap that one operation of each work allocates, as JSON.
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { Conversation, Deadlines, MemoryBudget, type Transport, TurnQueue } from '@postern/conversation';
import { AvatarRealm, type Checker, Portal, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { esmtp, MessageDelivery } from '@postern/esmtp';
import { SCRAM_CREDENTIALS, type ScramCredentials, ScramSecret } from '@postern/sasl';
import { compose } from '../../../packages/postern/src/compose.ts';
import { DiscardDelivery } from '../../../packages/postern/src/deliver-specs.ts';
import { openLog } from '../../../packages/postern/src/open-log.ts';
import { readSettings } from '../../../packages/postern/src/settings.ts';
import { line, type Script, ScriptedClient, type Step, scramSteps } from './scripted-client.ts';

/** Serves one connection until it closes. */
type Serve = (transport: Transport) => Promise<void>;

async function main(): Promise<void> {
  const name = process.argv[2] as keyof typeof SERVERS;
  const serve = await SERVERS[name]();
  const octets: Record<string, number> = {};
  for (const [work, { head, loop, server }] of Object.entries(WORKS)) {
    if (server !== undefined && server !== name && name !== 'none') continue;
    octets[work] = await measure(serve, head, loop);
  }
  console.log(JSON.stringify(octets));
}

/**
 * Resolves to the median over windows. A collection makes few windows too small, and code that V8
 * has not optimized makes the first windows too large.
 */
async function measure(serve: Serve, head: readonly Step[], loop: readonly Step[] | undefined): Promise<number> {
  const samples = loop === undefined ? await sessions(serve, head) : await messages(serve, head, loop);
  const windows = samples.slice(1).map((used, index) => (used - (samples[index] ?? 0)) / OPERATIONS_PER_WINDOW);
  const measured = windows.slice(WARM_UP_WINDOWS).sort((a, b) => a - b);
  return Math.round(measured[Math.floor(measured.length / 2)] ?? Number.NaN);
}

/**
 * Resolves to the used heap before and after each window. The operations of a window are sessions
 * at the same time, since a SCRAM login waits for milliseconds without using the processor.
 */
async function sessions(serve: Serve, steps: readonly Step[]): Promise<readonly number[]> {
  const samples = [];
  const script: Script = (index) => steps[index];
  for (let window = 0; window <= WINDOWS; window++) {
    samples.push(process.memoryUsage().heapUsed);
    const clients = Array.from(
      { length: OPERATIONS_PER_WINDOW },
      (_, index) => new ScriptedClient(script, FIRST_PORT + index),
    );
    await Promise.all(clients.map(serve));
    await setImmediate();
  }
  return samples;
}

/** Resolves to the used heap before and after each window. An operation is a message. */
async function messages(serve: Serve, head: readonly Step[], loop: readonly Step[]): Promise<readonly number[]> {
  const samples: number[] = [];
  const script: Script = (index) => {
    const step = index - head.length;
    if (step < 0) return head[index];
    if (step % (loop.length * OPERATIONS_PER_WINDOW) === 0) samples.push(process.memoryUsage().heapUsed);
    return samples.length > WINDOWS ? undefined : loop[step % loop.length];
  };
  const ended = Promise.withResolvers<void>();
  const client = new ScriptedClient((index) => {
    const step = script(index);
    if (step === undefined) ended.resolve();
    return step;
  }, FIRST_PORT);
  const served = serve(client);
  await ended.promise;
  client.end();
  await served;
  return samples;
}

const SERVERS = {
  /** The server as `postern serve` composes it: throttle, log, users in memory. */
  command: async (): Promise<Serve> => {
    const settings = await readSettings(
      ['--listen', 'smtp://127.0.0.1:0', '--auth', 'memory:joe:s3cret', '--deliver', 'discard'],
      {},
    );
    const sink = new Writable({ decodeStrings: false, write: (_chunk, _encoding, done) => done() });
    const log = await openLog(settings.log, sink);
    const { listeners } = await compose(settings, { log, print: async () => {} });
    const [listener] = listeners;
    if (listener === undefined) throw new Error('no listener');
    return overConversation(listener.protocol);
  },
  /** A server of the library without a log, with the user's password and SCRAM secret in memory. */
  library: async (): Promise<Serve> => {
    const secret = await ScramSecret.derive('s3cret', { hash: 'sha256', iterations: 4096 });
    const verifySecret: Checker<ScramCredentials> = {
      credentialInterfaces: [SCRAM_CREDENTIALS.sha256],
      requestAvatarId: async (credentials) => {
        if (await credentials.verify(secret)) return 'joe';
        throw new UnauthorizedLogin();
      },
    };
    const verifyPassword: Checker<UsernamePassword> = {
      credentialInterfaces: [UsernamePassword],
      requestAvatarId(credentials) {
        if (credentials.checkPassword('s3cret')) return 'joe';
        throw new UnauthorizedLogin();
      },
    };
    const realm = new AvatarRealm().provide(MessageDelivery, () => new DiscardDelivery());
    const portal = new Portal(realm).register(verifyPassword).register(verifySecret);
    return overConversation(esmtp({ hostname: 'localhost', portal }));
  },
  /** No server: the share of this program in each figure. */
  none: async (): Promise<Serve> => (transport) => {
    const closed = Promise.withResolvers<void>();
    const answer = () => {
      for (let chunk = transport.read(); typeof chunk !== 'string'; chunk = transport.read()) {
        if (chunk.length === QUIT.length && chunk[0] === QUIT[0]) transport.end();
        else void transport.write(CHALLENGE);
      }
    };
    transport.listener = { onInput: answer, onEnd() {}, onClose: closed.resolve, interrupt() {} };
    void transport.write(CHALLENGE);
    answer();
    return closed.promise;
  },
};

function overConversation(protocol: (conversation: Conversation) => Promise<void> | void): Serve {
  const options = { deadlines: new Deadlines(), turns: new TurnQueue(), memory: new MemoryBudget() };
  return async (transport) => {
    const conversation = new Conversation(transport, options);
    await protocol(conversation);
    await conversation.close();
    conversation.memory.close();
  };
}

const EHLO = line('EHLO client.example.com');
const PLAIN = line(`AUTH PLAIN ${Buffer.from('\0joe\0s3cret').toString('base64')}`);
const SCRAM = scramSteps('joe', 's3cret');
const QUIT = line('QUIT');
const MAIL = line('MAIL FROM:<joe@example.com>');
const RCPT = line('RCPT TO:<ann@example.com>');
const DATA = line('DATA');
const COMMANDS = Buffer.concat([MAIL, RCPT, DATA]);
const HEADER = [
  'From: Joe <joe@example.com>',
  'To: Ann <ann@example.com>',
  'Subject: A message',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  'Message-ID: <1@example.com>',
  '',
].join('\r\n');
/** A message of 1 KiB. */
const MESSAGE = line(`${HEADER}${'\r\nThe quick brown fox jumps over the lazy dog.'.repeat(19)}\r\n.`);

interface Work {
  /** The steps of a session, or those before the first operation of `loop`. */
  readonly head: readonly Step[];
  /** The steps of an operation; absent if the session is the operation. */
  readonly loop?: readonly Step[];
  /** The server that the work needs: the command derives a SCRAM key from the password. */
  readonly server?: string;
}

const WORKS: Readonly<Record<string, Work>> = {
  'EHLO, QUIT': { head: [EHLO, QUIT] },
  'login PLAIN': { head: [EHLO, PLAIN, QUIT] },
  'login SCRAM-SHA-256': { head: [EHLO, ...SCRAM, QUIT], server: 'library' },
  session: { head: [EHLO, PLAIN, MAIL, RCPT, DATA, MESSAGE, QUIT] },
  'message, a command at a time': { head: [EHLO, PLAIN], loop: [MAIL, RCPT, DATA, MESSAGE] },
  'message, pipelined': { head: [EHLO, PLAIN, COMMANDS], loop: [Buffer.concat([MESSAGE, COMMANDS])] },
};

/** A reply that the SCRAM client can answer. */
const CHALLENGE = `334 ${Buffer.from('r=client-nonce0123456789,s=c2FsdHNhbHRzYWx0,i=4096').toString('base64')}\r\n`;

const FIRST_PORT = 40_000;
const OPERATIONS_PER_WINDOW = 100;
const WINDOWS = 120;
/** Within 60 windows V8 has optimized the hot functions. */
const WARM_UP_WINDOWS = 60;

await main();
