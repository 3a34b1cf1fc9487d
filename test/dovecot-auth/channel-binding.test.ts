import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';
import { Conversation } from '@postern/conversation';
import { defaultChallengers } from '@postern/sasl';
import { memoryPipe, readChunk, settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { AuthServer } from './server.ts';

const UNIX = { family: 'unix', address: '', port: 0 } as const;
const EXPORTED = Buffer.alloc(32, 7);

function serverWithBinding(channelBinding: 'offered' | 'required' = 'offered'): AuthServer {
  const challengers = defaultChallengers({ hostname: 'mail.example.com', channelBinding });
  return new AuthServer({ challengers, limits: { minChallengeDelay: 0, loginFailureDelay: 2_000 } });
}

/** A mail server, whose first octets are there before the handshake or behind it. */
class MailServer {
  readonly handshake: string[] = [];
  readonly #pipe = memoryPipe({ client: UNIX, server: UNIX });
  readonly #server: AuthServer;
  readonly #ended: Promise<void>;
  #text = '';

  constructor(server: AuthServer) {
    this.#server = server;
    this.#ended = server.protocol(new Conversation(this.#pipe.server, { deadlines: server.deadlines }));
  }

  async say(line: string): Promise<void> {
    await this.#pipe.client.write(`${line}\n`);
  }

  async hear(): Promise<string> {
    while (!this.#text.includes('\n')) {
      const chunk = await readChunk(this.#pipe.client);
      if (chunk === undefined) return '<closed>';
      this.#text += Buffer.from(chunk).toString();
    }
    const line = this.#text.slice(0, this.#text.indexOf('\n'));
    this.#text = this.#text.slice(line.length + 1);
    return line;
  }

  /** Hears the handshake, and returns the names of the mechanisms. */
  async mechanisms(): Promise<string[]> {
    for (;;) {
      const line = await this.hear();
      this.handshake.push(line);
      if (line === 'DONE' || line === '<closed>') break;
    }
    return this.handshake.filter((line) => line.startsWith('MECH')).map((line) => line.split('\t')[1] ?? '');
  }

  /** Runs SCRAM-SHA-256 by the computation of RFC 5802 §3, and resolves with the server's lines. */
  async logIn(options: ScramLogin): Promise<string[]> {
    const { mechanism = 'SCRAM-SHA-256-PLUS', header = 'p=tls-exporter,,', bound = EXPORTED, parameter } = options;
    const bare = 'n=joe,r=clientnonce';
    await this.say(`AUTH\t1\t${mechanism}\tservice=smtp\tresp=${base64(header + bare)}`);
    const challenge = await this.hear();
    const [word = '', , first = '', ...asked] = challenge.split('\t');
    const lines = [[word, ...asked].join(' ')];
    if (word !== 'CONT') return lines;
    const serverFirst = Buffer.from(first, 'base64').toString();
    const withoutProof = `c=${Buffer.concat([Buffer.from(header), bound]).toString('base64')},r=${serverFirst.split(/[=,]/)[1]}`;
    const proof = proofOf(serverFirst, `${bare},${serverFirst},${withoutProof}`);
    await this.say(`CONT\t1\t${base64(`${withoutProof},p=${proof}`)}${parameter ?? ''}`);
    await settle();
    await this.#server.clock.advance(2_000);
    const verdict = await this.hear();
    lines.push(verdict.replace(/^CONT\t1\t.+$/, 'CONT'));
    if (!verdict.startsWith('CONT')) return lines;
    await this.say('CONT\t1\t');
    lines.push(await this.hear());
    return lines;
  }

  async close(): Promise<void> {
    this.#pipe.client.end();
    await this.#ended;
  }
}

interface ScramLogin {
  readonly mechanism?: string;
  /** The gs2-header. */
  readonly header?: string;
  /** The data that the client binds to. */
  readonly bound?: Buffer;
  /** The parameter of the mail server's CONT, behind its TAB. */
  readonly parameter?: string;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

function proofOf(serverFirst: string, authMessage: string): string {
  const [, salt = '', iterations] = /,s=([^,]+),i=(\d+)/.exec(serverFirst) ?? [];
  const salted = pbkdf2Sync('s3cret', Buffer.from(salt, 'base64'), Number(iterations), 32, 'sha256');
  const clientKey = createHmac('sha256', salted).update('Client Key').digest();
  const storedKey = createHash('sha256').update(clientKey).digest();
  const signature = createHmac('sha256', storedKey).update(authMessage).digest();
  return Buffer.from(clientKey.map((octet, index) => octet ^ (signature[index] ?? 0))).toString('base64');
}

const RIGHT = `\tchannel_binding=${EXPORTED.toString('base64')}`;

/** Runs one login of a mail server whose VERSION comes first. */
async function logIn(options: ScramLogin, minor = 3, server = serverWithBinding()): Promise<string[]> {
  const mailServer = new MailServer(server);
  await mailServer.say(`VERSION\t1\t${minor}`);
  await mailServer.mechanisms();
  const lines = await mailServer.logIn(options);
  await mailServer.close();
  return lines;
}

describe('the mechanisms with channel binding', () => {
  test.each([0, 1, 2])('are hidden from minor %i, which cannot name them', async (minor) => {
    const mailServer = new MailServer(serverWithBinding());
    await mailServer.say(`VERSION\t1\t${minor}`);
    expect((await mailServer.mechanisms()).filter((name) => name.endsWith('-PLUS'))).toEqual([]);
    expect(await mailServer.logIn({ parameter: RIGHT })).toEqual(['FAIL']);
    await mailServer.close();
  });

  test.each([3, 4])('are listed to minor %i that speaks first, with the flag channel-binding', async (minor) => {
    const mailServer = new MailServer(serverWithBinding());
    await mailServer.say(`VERSION\t1\t${minor}\nCPID\t1`);
    expect(await mailServer.mechanisms()).toContain('SCRAM-SHA-256-PLUS');
    expect(mailServer.handshake[0]).toBe('VERSION\t1\t3');
    expect(mailServer.handshake).toContain('MECH\tSCRAM-SHA-256-PLUS\tmutual-auth\tchannel-binding');
    // Clients that cannot bind have the hash without -PLUS.
    expect(mailServer.handshake).toContain('MECH\tSCRAM-SHA-256\tmutual-auth');
    await mailServer.close();
  });

  test('are hidden from a mail server that waits for the handshake, which may name them at minor 3', async () => {
    const mailServer = new MailServer(serverWithBinding());
    expect((await mailServer.mechanisms()).filter((name) => name.endsWith('-PLUS'))).toEqual([]);
    await mailServer.say('VERSION\t1\t3');
    expect(await mailServer.logIn({ parameter: RIGHT })).toEqual([
      'CONT channel_binding=tls-exporter',
      'CONT',
      'OK\t1\tuser=joe',
    ]);
    await mailServer.close();
  });

  test('leave PLAIN in the list of minor 0 where channel binding is required', async () => {
    const mailServer = new MailServer(serverWithBinding('required'));
    await mailServer.say('VERSION\t1\t0');
    expect(await mailServer.mechanisms()).toEqual(['PLAIN']);
    await mailServer.close();
  });
});

describe('a login with channel binding', () => {
  test('asks the mail server for the data, and succeeds with that of the client', async () => {
    const lines = await logIn({ parameter: RIGHT });
    expect(lines).toEqual(['CONT channel_binding=tls-exporter', 'CONT', 'OK\t1\tuser=joe']);
  });

  test.each([
    ['another TLS channel', `\tchannel_binding=${Buffer.alloc(32, 8).toString('base64')}`],
    ['no data', ''],
    ['empty data', '\tchannel_binding='],
    ['data outside base64', '\tchannel_binding=!'],
  ])('fails like a wrong password after the right proof with %s', async (_title, parameter) => {
    const server = serverWithBinding();
    expect(await logIn({ parameter }, 3, server)).toEqual(['CONT channel_binding=tls-exporter', 'FAIL\t1']);
    expect(server.events).toMatchObject([{ kind: 'login-refused', error: { code: 'unauthorized' } }]);
  });

  test('fails where a client bound no data, and the mail server sends none', async () => {
    const lines = await logIn({ bound: Buffer.alloc(0), parameter: '\tchannel_binding=' });
    expect(lines).toEqual(['CONT channel_binding=tls-exporter', 'FAIL\t1']);
  });

  test('refuses tls-unique, whose safety the mail server does not report', async () => {
    expect(await logIn({ header: 'p=tls-unique,,', parameter: '' })).toEqual(['CONT', 'FAIL\t1']);
  });

  test('refuses data that was not asked for', async () => {
    const unbound = { mechanism: 'SCRAM-SHA-256', header: 'n,,', bound: Buffer.alloc(0) };
    expect(await logIn({ ...unbound, parameter: RIGHT })).toEqual(['CONT', 'FAIL\t1']);
    expect(await logIn(unbound)).toEqual(['CONT', 'CONT', 'OK\t1\tuser=joe']);
  });
});

describe('a client that could bind and saw no -PLUS (RFC 5802 §6)', () => {
  const downgraded = { mechanism: 'SCRAM-SHA-256', header: 'y,,', bound: Buffer.alloc(0) };

  test('is refused if the handshake listed one', async () => {
    expect(await logIn(downgraded)).toEqual(['CONT', 'FAIL\t1']);
  });

  test('logs in if the handshake listed none', async () => {
    const mailServer = new MailServer(serverWithBinding());
    await mailServer.mechanisms();
    await mailServer.say('VERSION\t1\t3');
    expect(await mailServer.logIn({ ...downgraded, mechanism: 'SCRAM-SHA-256' })).toEqual([
      'CONT',
      'CONT',
      'OK\t1\tuser=joe',
    ]);
    await mailServer.close();
  });
});
