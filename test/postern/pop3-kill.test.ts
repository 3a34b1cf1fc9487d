import { type ChildProcess, spawn } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp, type SmtpClient } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder } from '@postern/sasl/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestedMessage, digestOf, isWhole } from '../support/digested-message.ts';
import { Pop3Client } from '../support/pop3-client.ts';
import { BIN, listeningUrls, type RunningPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

/** The number of kills of each kind; `npm run kill` sets 100. */
const TIMES = Number(process.env['KILLS'] ?? 3);
/** From this number of kills, each call of the session is the last one of a server. */
const MIN_KILLS_FOR_EACH_CALL = 100;
const SENDERS = 3;
const READERS = 2;

let base: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'postern-pop3-kill-'));
});

afterAll(async () => {
  await rm(base, { recursive: true });
});

describe('a server that is killed while clients deliver, read and delete', () => {
  it(
    `loses no message, doubles none and returns no deleted one, ${TIMES} times`,
    async () => {
      const folder = join(base, 'load');
      const ledger = new Ledger();
      const sum = { sessions: 0, deleted: 0 };
      for (let time = 0; time <= TIMES; time++) {
        await using postern = await startPostern(...serveArguments(folder));
        await inspect(pop3Port(postern), ledger);
        if (time === TIMES) break;
        const load = new Load(postern, ledger);
        await load.run();
        sum.sessions += load.sessions;
      }
      sum.deleted = ledger.gone.size;
      expect(ledger.acknowledged.size).toBeGreaterThan(TIMES);
      expect(sum.sessions).toBeGreaterThan(0);
      expect(sum.deleted).toBeGreaterThan(0);
    },
    TIMES * 60_000,
  );
});

describe('a server that is killed at one call of the file system', () => {
  it(
    'has all messages or those without the deleted ones, and their ids',
    async () => {
      const calls = (await killAt(Number.POSITIVE_INFINITY)).split('\n');
      // The kinds of calls of a login, of RETR and of an update.
      expect(calls).toEqual(
        expect.arrayContaining(['symlinkSync', 'readdirSync', 'openSync', 'readSync', 'closeSync']),
      );
      expect(calls).toEqual(expect.arrayContaining(['readlinkSync', 'open', 'unlink', 'unlinkSync']));
      const places = calls.map((_, index) => index + 1);
      // Each call once, or some of the calls at random.
      while (TIMES < MIN_KILLS_FOR_EACH_CALL && places.length > TIMES) places.splice(randomInt(places.length), 1);

      for (const place of places) await killAt(place);
    },
    (TIMES + 10) * 60_000,
  );
});

/** What clients know of the messages of one mailbox. A message is its digest. */
class Ledger {
  /** The messages that the server acknowledged. */
  readonly acknowledged = new Set<string>();
  /** The messages whose deletion the server has confirmed, or which were gone later. */
  readonly gone = new Set<string>();
  /** The messages of a QUIT to which no reply came. */
  readonly doubtful = new Set<string>();
  readonly uids = new Map<string, string>();

  /** Expects that a message always has the same id, and that no other has it. */
  checkUid(digest: string, uid: string): void {
    expect(this.uids.get(digest) ?? uid).toBe(uid);
    this.uids.set(digest, uid);
    expect(new Set(this.uids.values()).size).toBe(this.uids.size);
  }

  /** Compares what a mailbox holds with what it must hold. */
  settle(present: readonly string[]): void {
    const there = new Set(present);
    expect(there.size, 'a message is there twice').toBe(present.length);
    expect(
      present.filter((digest) => this.gone.has(digest)),
      'a deleted message has returned',
    ).toEqual([]);
    for (const digest of this.doubtful) if (!there.has(digest)) this.gone.add(digest);
    this.doubtful.clear();
    const lost = [...this.acknowledged].filter((digest) => !there.has(digest) && !this.gone.has(digest));
    expect(lost, 'an acknowledged message is lost').toEqual([]);
  }
}

/** Logs in to a server that has just started, and compares all messages with the ledger. */
async function inspect(port: number, ledger: Ledger): Promise<void> {
  using client = await Pop3Client.connect(port);
  // The killed server's lock must not keep the user out.
  expect(await client.tryLogIn('ann', 's3cret')).toMatch(/^\+OK/);
  const uids = await client.uids();
  const sizes = await client.sizes();
  const present: string[] = [];
  for (const [number, uid] of uids) {
    const message = await retrieve(client, number);
    expect(message.length).toBe(sizes.get(number));
    ledger.checkUid(digestOf(message), uid);
    present.push(digestOf(message));
  }
  expect(new Set(uids.values()).size).toBe(uids.size);
  await client.quit();
  ledger.settle(present);
}

async function retrieve(client: Pop3Client, number: number): Promise<Buffer> {
  const message = Buffer.from(await client.ask(`RETR ${number}`), 'latin1');
  expect(isWhole(message)).toBe(true);
  return message;
}

/** Clients that deliver, read, delete and vanish until their server is killed. */
class Load {
  sessions = 0;
  readonly #postern: RunningPostern;
  readonly #ledger: Ledger;
  #stepsLeft = randomInt(20, 150);

  constructor(postern: RunningPostern, ledger: Ledger) {
    this.#postern = postern;
    this.#ledger = ledger;
  }

  async run(): Promise<void> {
    await Promise.all([
      ...Array.from({ length: SENDERS }, () => this.#untilGone(() => this.#send())),
      ...Array.from({ length: READERS }, () => this.#untilGone(() => this.#read())),
    ]);
    expect(await this.#postern.ended).toBe('SIGKILL');
  }

  async #untilGone(act: () => Promise<void>): Promise<void> {
    try {
      for (;;) await act();
    } catch (error) {
      // The killed server explains a lost connection; any other error fails the test.
      if (!isLost(error)) throw error;
    }
  }

  async #send(): Promise<void> {
    let client: SmtpClient | undefined;
    try {
      const endpoint = { host: '127.0.0.1', port: Number(this.#postern.urls[0]?.port) };
      const transport = await connect({ endpoint, tlsPolicy: 'none' });
      const responders = [plainResponder({ username: 'ann', password: 's3cret' })];
      client = await connectSmtp(transport, { hostname: 'localhost', responders });
      for (;;) {
        const message = digestedMessage(500);
        this.#step();
        const outgoing = await client.open({ from: null, to: [ANN] });
        await outgoing.write(message);
        const [answer] = await outgoing.end();
        expect(answer?.code).toBe(250);
        this.#ledger.acknowledged.add(digestOf(message));
      }
    } finally {
      client?.conversation.destroy();
    }
  }

  /** One session, which ends with QUIT or vanishes at some point. */
  async #read(): Promise<void> {
    using client = await Pop3Client.logIn(pop3Port(this.#postern), 'ann', 's3cret');
    this.#step();
    const uids = [...(await client.uids())].slice(0, randomInt(1, 8));
    const deleted: string[] = [];
    const vanishesAt = randomInt(4) === 0 ? randomInt(2 * uids.length + 1) : Number.POSITIVE_INFINITY;
    for (const [index, [number, uid]] of uids.entries()) {
      if (vanishesAt === 2 * index) return client.send(`RETR ${number}`);
      const digest = digestOf(await retrieve(client, number));
      this.#ledger.checkUid(digest, uid);
      expect(this.#ledger.gone.has(digest), 'a deleted message has returned').toBe(false);
      if (randomInt(3) === 0) continue;
      if (vanishesAt === 2 * index + 1) return client.send(`DELE ${number}`);
      expect(await client.say(`DELE ${number}`)).toMatch(/^\+OK/);
      deleted.push(digest);
    }
    for (const digest of deleted) this.#ledger.doubtful.add(digest);
    if (vanishesAt === 2 * uids.length) return client.send('QUIT');
    const quit = client.quit();
    this.#step();
    await quit;
    for (const digest of deleted) {
      this.#ledger.doubtful.delete(digest);
      this.#ledger.gone.add(digest);
    }
    this.sessions += 1;
  }

  /** Kills the server at a random step, while it works for other clients. */
  #step(): void {
    if (--this.#stepsLeft !== 0) return;
    const end = performance.now() + randomInt(5_000) / 1_000;
    while (performance.now() < end);
    this.#postern.process.kill('SIGKILL');
  }
}

/**
 * Kills a server at one of its calls of the file system, while a client reads and deletes. Compares
 * the messages of the next server. Resolves to the calls, one on a line, if the server lived on.
 */
async function killAt(place: number): Promise<string> {
  const folder = await mkdtemp(join(base, `call-${place}-`));
  const report = join(folder, 'calls');
  const messages = await fillMaildir(folder);
  const env = { KILL_FOLDER: folder, KILL_AT: String(place), KILL_REPORT: report };
  const seen = await deleteSome(folder, messages, env);
  await using postern = await startPostern(...serveArguments(folder));
  using client = await Pop3Client.connect(pop3Port(postern));
  expect(await client.tryLogIn('ann', 's3cret'), `killed at call ${place}`).toMatch(/^\+OK/);
  const uids = await client.uids();
  const sizes = await client.sizes();
  const digests: string[] = [];
  for (const [number, uid] of uids) {
    const message = await retrieve(client, number);
    expect(message.length).toBe(sizes.get(number));
    const digest = digestOf(message);
    expect(seen.uids.get(digest) ?? uid).toBe(uid);
    digests.push(digest);
  }
  await client.quit();
  expect(new Set(uids.values()).size).toBe(uids.size);
  expect(new Set(digests).size).toBe(digests.length);
  const kept = seen.digests.filter((digest) => !seen.deleted.includes(digest));
  const lost = kept.filter((digest) => !digests.includes(digest));
  expect(lost, `killed at call ${place}`).toEqual([]);
  const remaining = seen.deleted.filter((digest) => digests.includes(digest));
  if (seen.quit === 'confirmed') expect(remaining).toEqual([]);
  if (seen.quit === 'unsaid') expect(remaining).toEqual(seen.deleted);
  return await readFile(report, 'latin1').catch(() => '');
}

/** What a client has seen and done before its server was killed. */
interface Seen {
  readonly uids: ReadonlyMap<string, string>;
  readonly digests: readonly string[];
  readonly deleted: readonly string[];
  readonly quit: 'unsaid' | 'said' | 'confirmed';
}

/** Reads all messages, deletes each second one and says QUIT, as far as the server lives. */
async function deleteSome(folder: string, digests: readonly string[], env: NodeJS.ProcessEnv): Promise<Seen> {
  const uids = new Map<string, string>();
  const deleted: string[] = [];
  let quit: Seen['quit'] = 'unsaid';
  const args = ['--import', PRELOAD, BIN, 'serve', ...serveArguments(folder)];
  const server = spawn(process.execPath, args, {
    stdio: ['ignore', 'pipe', 'inherit'],
    env: { ...process.env, ...env },
  });
  const ended = once(server, 'exit');
  try {
    using client = await Pop3Client.logIn(await portOf(server), 'ann', 's3cret');
    for (const [number, uid] of await client.uids()) {
      const digest = digestOf(await retrieve(client, number));
      uids.set(digest, uid);
      if (number % 2 === 0) continue;
      expect(await client.say(`DELE ${number}`)).toMatch(/^\+OK/);
      deleted.push(digest);
    }
    quit = 'said';
    await client.quit();
    quit = 'confirmed';
  } catch (error) {
    if (!isLost(error)) throw error;
  }
  server.kill('SIGTERM');
  await ended;
  return { uids, digests, deleted, quit };
}

/** Puts messages into `new` and `cur` of ann's Maildir. Resolves to their digests. */
async function fillMaildir(folder: string): Promise<readonly string[]> {
  const maildir = join(folder, MAILDIR);
  const digests: string[] = [];
  for (const name of ['tmp', 'new', 'cur']) await mkdir(join(maildir, name), { recursive: true });
  for (const [index, place] of ['new', 'cur', 'new', 'cur', 'new'].entries()) {
    const message = digestedMessage(50);
    const flags = place === 'cur' ? ':2,S' : '';
    await writeFile(join(maildir, place, `${1_700_000_000 + index}.M1P1Q${index}.example${flags}`), message);
    digests.push(digestOf(message));
  }
  return digests;
}

/** Resolves to the port of the POP3 listener. */
async function portOf(server: ChildProcess): Promise<number> {
  const { stdout } = server;
  if (stdout === null) throw new Error('the server has no standard output');
  let text = '';
  for await (const chunk of stdout.setEncoding('utf8')) {
    text += chunk;
    const urls = listeningUrls(text);
    if (urls.length === 2) return Number(new URL(urls[1] as string).port);
  }
  throw new Error(`the server is gone: ${text}`);
}

/** Returns true for the error of a client whose server was killed. */
function isLost(error: unknown): boolean {
  return /closed the connection|connection broke|peer|ECONN|gone|EPIPE/i.test(String(error));
}

function pop3Port(postern: RunningPostern): number {
  return Number(postern.urls[1]?.port);
}

function serveArguments(folder: string): readonly string[] {
  return words`--listen smtp://127.0.0.1:0 --listen pop3://127.0.0.1:0 --auth memory:ann:s3cret
    --domains example.com --deliver maildir:${folder} --log silent`;
}

const ANN = new Mailbox('ann', 'example.com');
/** The Maildir of ann, below the folder. */
const MAILDIR = 'ann@example.com';
const PRELOAD = fileURLToPath(new URL('../support/kill-at-call.ts', import.meta.url));
