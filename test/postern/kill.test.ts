import { createHash, randomInt } from 'node:crypto';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp, type SmtpClient } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { plainResponder } from '@postern/sasl/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

/** How often the server is killed; `npm run kill` does it a hundred times. */
const TIMES = Number(process.env['KILLS'] ?? 5);
const CLIENTS = 8;
const RECIPIENTS = [new Mailbox('ann', 'example.com'), new Mailbox('bob', 'example.com')];

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-kill-'));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
});

describe('a server that is killed under load', () => {
  it(`has kept what it acknowledged, ${TIMES} times`, { timeout: TIMES * 60_000 }, async () => {
    const acknowledged = new Set<string>();
    for (let time = 0; time < TIMES; time++) await loadAndKill(acknowledged);
    expect(acknowledged.size).toBeGreaterThan(0);
    for (const recipient of RECIPIENTS) {
      const delivered = await inbox(recipient);
      expect([...acknowledged].filter((digest) => !delivered.has(digest))).toEqual([]);
    }
  });
});

/** Sends until the server is killed, which happens at some step of some message; adds what was acknowledged. */
async function loadAndKill(acknowledged: Set<string>): Promise<void> {
  await using postern = await startPostern(
    ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver maildir:${folder} --log silent`,
  );
  let steps = randomInt(1, 400);
  const step = (): void => {
    if (--steps === 0) postern.process.kill('SIGKILL');
  };
  const port = Number(postern.urls[0]?.port);
  await Promise.all(Array.from({ length: CLIENTS }, () => sendUntilGone(port, acknowledged, step)));
  await postern.ended;
}

async function sendUntilGone(port: number, acknowledged: Set<string>, step: () => void): Promise<void> {
  let client: SmtpClient | undefined;
  try {
    const transport = await connect({ endpoint: { host: '127.0.0.1', port }, tlsPolicy: 'none' });
    const responders = [plainResponder({ username: 'joe', password: 's3cret' })];
    client = await connectSmtp(transport, { hostname: 'localhost', responders });
    for (;;) {
      const message = someMessage();
      const outgoing = await client.open({ from: null, to: RECIPIENTS });
      for (let at = 0; at < message.length; at += 40_000) {
        step();
        await outgoing.write(message.subarray(at, at + 40_000));
      }
      step();
      const answers = await outgoing.end();
      if (answers.every(({ code }) => code === 250)) acknowledged.add(digestOf(message));
      step();
    }
  } catch (error) {
    // The server is gone, as it was to be; anything else is a failure of the test.
    if (steady(error)) throw error;
  } finally {
    client?.conversation.destroy();
  }
}

function steady(error: unknown): boolean {
  return !/closed the connection|connection broke|peer|ECONN|gone/i.test(String(error));
}

/** A message whose first line tells the digest of the rest: one that is torn shows it. */
function someMessage(): Buffer {
  const lines = Array.from({ length: randomInt(1, 3_000) }, () => `${randomInt(2 ** 40)}`.padEnd(40, '.'));
  const body = `${lines.join('\r\n')}\r\n`;
  return Buffer.from(`X-Digest: ${createHash('sha256').update(body).digest('hex')}\r\n\r\n${body}`);
}

function digestOf(message: Buffer): string {
  return /^X-Digest: ([0-9a-f]{64})\r\n/m.exec(message.toString('latin1'))?.[1] as string;
}

/** The digests of the messages in a Maildir's `new`, each of which is whole. */
async function inbox(recipient: Mailbox): Promise<ReadonlySet<string>> {
  const path = join(folder, recipient.toString(), 'new');
  const digests = new Set<string>();
  for (const name of await readdir(path)) {
    const message = await readFile(join(path, name));
    const digest = digestOf(message);
    const body = message.subarray(message.indexOf(`${digest}\r\n\r\n`) + digest.length + 4);
    expect(createHash('sha256').update(body).digest('hex'), name).toBe(digest);
    digests.add(digest);
  }
  return digests;
}
