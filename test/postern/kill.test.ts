import { spawnSync } from 'node:child_process';
import { randomInt } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp, type SmtpClient, SmtpReplyError } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder } from '@postern/sasl/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { digestedMessage, digestOf, isWhole } from '../support/digested-message.ts';
import { type RunningPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

/** The number of kills for each kind of scarcity; `npm run kill` sets 100. */
const TIMES = Number(process.env['KILLS'] ?? 5);
const CLIENTS = 8;
const RECIPIENTS = ['ann', 'bob', 'cyd', 'dan', 'eve'].map((name) => new Mailbox(name, 'example.com'));

let base: string;

beforeAll(async () => {
  base = await mkdtemp(join(tmpdir(), 'postern-kill-'));
});

afterAll(async () => {
  await rm(base, { recursive: true });
});

/** A resource that a server lacks. */
interface Scarcity {
  readonly of: string;
  /** Takes the resource from a running server. */
  readonly impose: (postern: RunningPostern) => Promise<void>;
  /** Limits the size of the folder for the Maildirs. Returns a function that undoes the limit. */
  readonly confine?: (folder: string) => () => void;
}

const nothing: Scarcity = { of: 'nothing', impose: () => Promise.resolve() };

/** Enough file descriptors for the connections and for 4 files. */
const descriptors: Scarcity = {
  of: 'file descriptors',
  async impose({ process: { pid } }) {
    const open = (await readdir(`/proc/${pid}/fd`)).length;
    const most = open + CLIENTS + 4;
    run('prlimit', '--pid', String(pid), `--nofile=${most}:${most}`);
  },
};

/**
 * A tmpfs of 600 KiB where mounting is allowed (root on Linux); elsewhere a limit of 60,000 octets
 * for each file, beyond which a write fails with EFBIG.
 */
const room: Scarcity = mayMount()
  ? {
      of: 'room on the disk (tmpfs)',
      impose: () => Promise.resolve(),
      confine(folder) {
        run('mount', '-t', 'tmpfs', '-o', 'size=600k,nr_inodes=200', 'tmpfs', folder);
        return () => run('umount', '--lazy', folder);
      },
    }
  : {
      of: 'room on the disk (RLIMIT_FSIZE)',
      impose: async ({ process: { pid } }) => run('prlimit', '--pid', String(pid), '--fsize=60000:60000'),
    };

describe('a server that is killed under load', () => {
  it.each([nothing, ...(process.platform === 'linux' ? [descriptors, room] : [])])(
    `keeps each acknowledged message for each recipient, ${TIMES} times, short of $of`,
    { timeout: TIMES * 60_000 },
    async (scarcity) => {
      const sum = { acknowledged: 0, lost: 0, refused: 0 };
      for (let time = 0; time < TIMES; time++) {
        const folder = join(base, `${scarcity.of.replaceAll(/\W/g, '')}-${time}`);
        await mkdir(folder);
        const release = scarcity.confine?.(folder);
        try {
          const load = new Load();
          await load.runAndKill(folder, scarcity);
          sum.acknowledged += load.acknowledged.size * RECIPIENTS.length;
          sum.refused += load.refused;
          sum.lost += await lostOf(load.acknowledged, folder);
        } finally {
          release?.();
        }
      }
      expect(sum).toMatchObject({ lost: 0 });
      expect(sum.acknowledged).toBeGreaterThan(0);
      if (scarcity === nothing) expect(sum.refused).toBe(0);
      else expect(sum.refused).toBeGreaterThan(0);
    },
  );
});

/** Clients that send messages until their server is killed. */
class Load {
  /** The digests of the messages that the server acknowledged for all recipients. */
  readonly acknowledged = new Set<string>();
  /** The number of messages that the server refused temporarily. */
  refused = 0;
  #stepsLeft = randomInt(50, 400);
  #kill: () => void = () => {};

  /** Sends until the server is killed at a random step of a random message. */
  async runAndKill(folder: string, { impose }: Scarcity): Promise<void> {
    await using postern = await startPostern(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver maildir:${folder} --log silent`,
    );
    this.#kill = () => postern.process.kill('SIGKILL');
    await impose(postern);
    const port = Number(postern.urls[0]?.port);
    await Promise.all(Array.from({ length: CLIENTS }, () => this.#sendUntilGone(port)));
    await postern.ended;
  }

  async #sendUntilGone(port: number): Promise<void> {
    let client: SmtpClient | undefined;
    try {
      const transport = await connect({ endpoint: { host: '127.0.0.1', port }, tlsPolicy: 'none' });
      const responders = [plainResponder({ username: 'joe', password: 's3cret' })];
      client = await connectSmtp(transport, { hostname: 'localhost', responders });
      for (;;) await this.#send(client);
    } catch (error) {
      // The killed server explains a lost connection; any other error fails the test.
      if (isUnexpected(error)) throw error;
    } finally {
      client?.conversation.destroy();
    }
  }

  async #send(client: SmtpClient): Promise<void> {
    const message = digestedMessage(3_000);
    try {
      const outgoing = await client.open({ from: null, to: RECIPIENTS });
      for (let at = 0; at < message.length; at += 40_000) {
        this.#step();
        await outgoing.write(message.subarray(at, at + 40_000));
      }
      this.#step();
      const answers = await outgoing.end();
      if (answers.every(({ code }) => code === 250)) this.acknowledged.add(digestOf(message));
      else this.#countRefusal(answers.map(({ code }) => code));
    } catch (error) {
      if (!(error instanceof SmtpReplyError)) throw error;
      this.#countRefusal([error.reply.code]);
      await client.command('RSET');
    }
    this.#step();
  }

  /** Expects temporary refusals (4yz): a lack of resources must not cause a permanent one. */
  #countRefusal(codes: readonly number[]): void {
    expect(codes.filter((code) => code < 400 || code >= 500)).toEqual([]);
    this.refused += 1;
  }

  #step(): void {
    if (--this.#stepsLeft === 0) this.#kill();
  }
}

function isUnexpected(error: unknown): boolean {
  return !/closed the connection|connection broke|peer|ECONN|gone/i.test(String(error));
}

/** Returns the number of recipients that lack an acknowledged message. */
async function lostOf(acknowledged: ReadonlySet<string>, folder: string): Promise<number> {
  let lost = 0;
  for (const recipient of RECIPIENTS) {
    const delivered = await inbox(join(folder, recipient.toString(), 'new'));
    for (const digest of acknowledged) if (!delivered.has(digest)) lost += 1;
  }
  return lost;
}

/**
 * Resolves to the digests of the messages in a Maildir's `new`. Expects each message to be whole.
 */
async function inbox(path: string): Promise<ReadonlySet<string>> {
  const digests = new Set<string>();
  for (const name of await readdir(path).catch(() => [])) {
    const message = await readFile(join(path, name));
    expect(isWhole(message), name).toBe(true);
    digests.add(digestOf(message));
  }
  return digests;
}

function mayMount(): boolean {
  if (process.platform !== 'linux' || process.getuid?.() !== 0) return false;
  const probe = spawnSync('unshare', ['--mount', 'mount', '-t', 'tmpfs', 'tmpfs', '/mnt']);
  return probe.status === 0;
}

function run(command: string, ...args: readonly string[]): void {
  const { status, stderr, error } = spawnSync(command, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`${command} ${args.join(' ')}: ${error?.message ?? stderr} (Debian: util-linux)`);
}
