import { once } from 'node:events';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect, type NetConnectOpts } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { TestAuthority } from '../support/certificates.ts';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { LineClient } from '../support/line-client.ts';
import type { ServingPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-services-'));
});
afterAll(() => rm(folder, { recursive: true }));

describe('61: an LMTP listener', () => {
  it('on a UNIX socket sends one reply for each recipient (RFC 2033 §4.2)', async () => {
    const path = join(folder, 'lmtp');
    const mail = join(folder, 'lmtp-mail');
    await using server = await startInProcess(
      ...words`--listen lmtp+unix:${path}?mode=600 --deliver maildir:${mail} --domains example.com --hostname mx.example.com --log silent`,
    );
    expect(server.output()).toBe(`listening lmtp+unix:${path}\n`);
    expect((await stat(path)).mode & 0o777).toBe(0o600);

    using client = await Client.connect({ path }, 'LHLO');
    expect(await client.say('MAIL FROM:<ann@example.net>')).toMatch(/^250 /);
    for (const name of ['bob', 'eve']) expect(await client.say(`RCPT TO:<${name}@example.com>`)).toMatch(/^250 /);
    expect(await client.say('DATA')).toMatch(/^354 /);
    expect(await client.say('Subject: hi\r\n\r\n.')).toMatch(/^250 2\.0\.0 <bob@example\.com> OK /);
    expect(await client.hear()).toMatch(/^250 2\.0\.0 <eve@example\.com> OK /);
    for (const name of ['bob', 'eve']) {
      expect(await delivered(mail, `${name}@example.com`)).toMatch(
        /^Return-Path: <ann@example\.net>\r\nReceived: from client\.example\.org by mx\.example\.com with LMTP\s[\s\S]*\+0000\r\nSubject: hi\r\n\r\n$/,
      );
    }
    await server.stop();
    await expect(stat(path)).rejects.toThrow('ENOENT');
  });

  it('on TCP prints its URL and creates no demo user', async () => {
    await using server = await startInProcess(...words`--listen lmtp://127.0.0.1:0 --deliver discard --log silent`);
    expect(server.output()).toMatch(/^listening lmtp:\/\/127\.0\.0\.1:[1-9]\d*\n$/);
    using client = await Client.connect(portOf(server), 'LHLO');
    expect(await client.say('EHLO client.example.org')).toMatch(/^500 /);
  });
});

describe('an MX listener', () => {
  it('accepts unchanged mail from clients without a login, and lets users log in', async () => {
    const mail = join(folder, 'mx-mail');
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0?service=mx --listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver maildir:${mail} --domains example.com --log silent`,
    );
    using client = await Client.connect(portOf(server));
    expect(client.greeting).toMatch(/AUTH .*PLAIN/);
    expect(client.greeting).not.toContain('ANONYMOUS');
    await client.send('<ann@sales>', '<bob@example.com>', 'Subject: hi');
    expect(await delivered(mail, 'bob@example.com')).toMatch(/with ESMTP\s[\s\S]*\+0000\r\nSubject: hi\r\n$/);
    using user = await Client.connect(portOf(server));
    expect(await user.say(`AUTH PLAIN ${PLAIN}`)).toMatch(/^235 /);
    using submitter = await Client.connect(portOf(server, 1));
    expect(await submitter.say('MAIL FROM:<ann@example.com>')).toMatch(/^530 /);
  });
});

describe('60: a submission listener', () => {
  it('requires full domains and completes headers, unless a parameter of its URL says no', async () => {
    const mail = join(folder, 'submission-mail');
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --listen smtp://127.0.0.1:0?requireQualifiedDomains=no&addMissingHeaders=no --auth memory:joe:s3cret --deliver maildir:${mail} --domains example.com --log silent`,
    );
    using strict = await Client.connect(portOf(server));
    await strict.say(`AUTH PLAIN ${PLAIN}`);
    expect(await strict.say('MAIL FROM:<ann@sales>')).toMatch(/^554 5\.7\.1 /);
    await strict.send('<ann@example.com>', '<strict@example.com>', 'Subject: hi');
    expect(await delivered(mail, 'strict@example.com')).toMatch(/\r\nDate: .*\r\nMessage-ID: <.*>\r\nSubject: hi\r\n$/);
    using lax = await Client.connect(portOf(server, 1));
    await lax.say(`AUTH PLAIN ${PLAIN}`);
    await lax.send('<ann@sales>', '<lax@example.com>', 'Subject: hi');
    expect(await delivered(mail, 'lax@example.com')).toMatch(/\+0000\r\nSubject: hi\r\n$/);
  });
});

describe('privacy at a submission listener', () => {
  it('removes Bcc by default, and omits the client from Received on request', async () => {
    const mail = join(folder, 'private-mail');
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0?omitClientFromReceived=yes --listen smtp://127.0.0.1:0?removeBcc=no --auth memory:joe:s3cret`,
      ...words`--deliver maildir:${mail} --domains example.com --hostname mx.example.com --log silent`,
    );
    using hidden = await Client.connect(portOf(server));
    await hidden.say(`AUTH PLAIN ${PLAIN}`);
    await hidden.send('<ann@example.com>', '<hidden@example.com>', 'Bcc: eve@example.com\r\nSubject: hi');
    const text = await delivered(mail, 'hidden@example.com');
    expect(text).toMatch(/\r\nReceived: by mx\.example\.com with ESMTPA\s[\s\S]*\r\nSubject: hi\r\n$/);
    expect(text).not.toMatch(/bcc|client\.example\.org|127\.0\.0\.1/i);
    using open = await Client.connect(portOf(server, 1));
    await open.say(`AUTH PLAIN ${PLAIN}`);
    await open.send('<ann@example.com>', '<open@example.com>', 'Bcc: eve@example.com\r\nSubject: hi');
    expect(await delivered(mail, 'open@example.com')).toMatch(
      /Received: from client\.example\.org [\s\S]*\r\nBcc: eve@example\.com\r\nSubject: hi\r\n$/,
    );
  });
});

describe('63, 64: a client behind a proxy', () => {
  it('has the address and name of the PROXY header or of XCLIENT, also after STARTTLS', async () => {
    const authority = await TestAuthority.create();
    const { cert, key } = await authority.server();
    const files = { cert: join(folder, 'cert.pem'), key: join(folder, 'key.pem') };
    await Promise.all([writeFile(files.cert, cert), writeFile(files.key, key)]);
    const mail = join(folder, 'proxy-mail');
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0?proxy=127.0.0.1 --listen smtp://127.0.0.1:0?xclient=127.0.0.0/8`,
      ...words`--tls-cert ${files.cert} --tls-key ${files.key} --auth memory:joe:s3cret --auth trusted`,
      ...words`--deliver maildir:${mail} --hostname mx.example.com --log json`,
    );

    using proxied = await Client.connect(portOf(server), 'EHLO', 'PROXY TCP4 198.51.100.7 203.0.113.5 50000 587\r\n');
    expect(await proxied.say('STARTTLS')).toMatch(/^220 /);
    await proxied.secure(authority.cert);
    await proxied.say(`AUTH PLAIN ${PLAIN}`);
    await proxied.send('<ann@example.com>', '<proxied@example.com>', 'Subject: hi');
    expect(await delivered(mail, 'proxied@example.com')).toMatch(
      /Received: from client\.example\.org \(\[198\.51\.100\.7\]\)\s/,
    );

    using forwarded = await Client.connect(portOf(server, 1));
    expect(forwarded.greeting).toContain('XCLIENT NAME ADDR PORT PROTO HELO LOGIN DESTADDR DESTPORT');
    expect(await forwarded.say('XCLIENT ADDR=198.51.100.8 NAME=laptop.example.org')).toBe(
      '220 mx.example.com ESMTP\r\n',
    );
    await forwarded.say('EHLO proxy.example.net');
    expect(await forwarded.say('STARTTLS')).toMatch(/^220 /);
    await forwarded.secure(authority.cert);
    expect(await forwarded.say('XCLIENT LOGIN=joe')).toMatch(/^220 /);
    await forwarded.say('EHLO proxy.example.net');
    await forwarded.send('<ann@example.com>', '<forwarded@example.com>', 'Subject: hi');
    expect(await delivered(mail, 'forwarded@example.com')).toMatch(
      /Received: from proxy\.example\.net \(laptop\.example\.org \[198\.51\.100\.8\]\)\s[\s\S]* with ESMTPSA\s/,
    );
    await server.said(/handed on by a trusted peer/);
  });

  it('cannot use XCLIENT or PROXY where no proxy is trusted', async () => {
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --log silent`,
    );
    using client = await Client.connect(portOf(server));
    expect(client.greeting).not.toContain('XCLIENT');
    expect(await client.say('XCLIENT ADDR=198.51.100.8')).toMatch(/^550 5\.7\.0 /);
    expect(await client.say('PROXY TCP4 198.51.100.7 203.0.113.5 50000 587')).toMatch(/^500 /);
  });
});

describe('a listener without TLS', () => {
  it('causes a warning if remote users log in there, or if remote clients may send without a login', async () => {
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --listen smtp://0.0.0.0:0 --listen smtp://0.0.0.0:0?service=mx`,
      ...words`--listen smtp://0.0.0.0:0?proxy=127.0.0.1 --listen smtp://0.0.0.0:0?auth=none`,
    );
    await server.said(/warn/);
    expect(server.output().match(/ warn .*/g)).toEqual([
      ' warn  no TLS: PLAIN and LOGIN are offered to clients on this machine only, and the network can read mail; set --tls-cert and --tls-key listener=smtp://0.0.0.0:0',
      ' warn  clients on other machines may send mail without a login; set auth=required, or listen on a loopback address listener=smtp://0.0.0.0:0',
    ]);
  });
});

describe('postern explain', () => {
  it('prints the service of each listener and why it offers no mechanism', async () => {
    const { code, output } = await runInProcess([
      ...words`explain --auth memory:joe:secret --listen smtp://0.0.0.0:25?service=mx --listen lmtp+unix:/run/lmtp`,
      ...words`--listen lmtp://0.0.0.0:24?auth=required`,
    ]);
    expect(code).toBe(0);
    const [mx = '', unix = '', lmtp = ''] = output.split('\n\n');
    expect(mx).toContain('smtp://0.0.0.0:25: MX, no TLS, authentication optional, for clients on other machines\n');
    expect(mx).toMatch(/^ {4}offered: .*SCRAM-SHA-256/m);
    expect(mx).toMatch(/^ {4}no: needs --auth anonymous: ANONYMOUS$/m);
    expect(unix).toContain('lmtp+unix:/run/lmtp: LMTP, no TLS, authentication none, for clients on this machine\n');
    expect(unix).toMatch(/^ {4}offered: none\n {4}no: no client authenticates here: /m);
    expect(lmtp).toMatch(/^ {4}no: exposes the secret: needs TLS: PLAIN LOGIN$/m);
  });
});

const PLAIN = Buffer.from('\0joe\0s3cret').toString('base64');

function portOf({ urls }: ServingPostern, at = 0): NetConnectOpts {
  return { host: '127.0.0.1', port: Number(urls[at]?.port) };
}

/** Resolves to the text of the only message in a Maildir. */
async function delivered(mail: string, recipient: string): Promise<string> {
  const inbox = join(mail, recipient, 'new');
  const [name = '', ...others] = await readdir(inbox);
  expect(others).toEqual([]);
  return await readFile(join(inbox, name), 'latin1');
}

class Client extends LineClient {
  /** The reply to EHLO or LHLO. */
  greeting = '';

  static async connect(options: NetConnectOpts, hello = 'EHLO', before = ''): Promise<Client> {
    const socket = connect(options);
    if (before !== '') socket.write(before);
    const client = new Client(socket);
    await client.hear();
    client.greeting = await client.say(`${hello} client.example.org`);
    return client;
  }

  /** Starts TLS on the connection and sends EHLO again. */
  async secure(ca: string): Promise<void> {
    const socket = connectTls({ socket: this.socket, ca, servername: 'localhost' });
    await once(socket, 'secureConnect');
    this.socket = socket;
    this.greeting = await this.say('EHLO client.example.org');
  }

  async send(from: string, to: string, text: string): Promise<void> {
    for (const line of [`MAIL FROM:${from}`, `RCPT TO:${to}`]) expect(await this.say(line)).toMatch(/^250 /);
    expect(await this.say('DATA')).toMatch(/^354 /);
    expect(await this.say(`${text}\r\n.`)).toMatch(/^250 /);
  }
}
