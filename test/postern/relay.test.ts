import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Mailbox } from '@postern/esmtp';
import { connectSmtp, SmtpReplyError } from '@postern/esmtp/client';
import { connect } from '@postern/node';
import { passwordResponders } from '@postern/sasl/client';
import { type RelayOptions, relay } from 'postern';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { UsageError } from '../../packages/postern/src/errors.ts';
import { parseNextServer } from '../../packages/postern/src/next-server.ts';
import { startInProcess } from '../support/in-process.ts';
import type { ServingPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

describe('the next server', () => {
  it.each([
    ['smtp:mx.example.com:25', { endpoint: { scheme: 'smtp', host: 'mx.example.com', port: 25 }, lmtp: false }],
    ['smtp://[2001:db8::1]:587', { endpoint: { scheme: 'smtp', host: '2001:db8::1', port: 587 }, lmtp: false }],
    ['smtp:[::1]:25?tls=offered', { endpoint: { scheme: 'smtp', host: '::1', port: 25 }, lmtp: false, tls: 'offered' }],
    ['smtps:mx:465', { endpoint: { scheme: 'smtps', host: 'mx', port: 465 }, lmtp: false, tls: 'implicit' }],
    [
      'lmtp:127.0.0.1:24?tls=none',
      { endpoint: { scheme: 'lmtp', host: '127.0.0.1', port: 24 }, lmtp: true, tls: 'none' },
    ],
    ['lmtp+unix:/run/lmtp', { endpoint: { scheme: 'lmtp', path: '/run/lmtp' }, lmtp: true }],
  ])('is read from %s', (spec, nextServer) => {
    expect(parseNextServer(spec)).toEqual(nextServer);
  });

  it.each([
    ['smtp:', 'smtp:HOST:PORT'],
    ['smtp:mx.example.com', 'smtp:HOST:PORT'],
    ['smtp:joe:secret@mx.example.com:25', 'smtp:HOST:PORT'],
    ['smtp+unix:/run/smtp', 'lmtp+unix:PATH'],
    ['pop3:mx.example.com:110', 'smtp:HOST:PORT'],
    ['smtps:mx.example.com:465?tls=none', 'TLS from the first byte'],
    ['smtp:mx.example.com:25?tls=maybe', 'tls=required|offered|none'],
    ['smtp:mx.example.com:25?tls=none&x=y', 'nothing else'],
  ])('is not read from %s', (spec, expected) => {
    expect(() => parseNextServer(spec)).toThrow(UsageError);
    expect(() => parseNextServer(spec)).toThrow(expected);
  });

  it('refuses an unknown option, since a misspelt `username` would mean no login', () => {
    const options = { to: 'smtp:mx.example.com:25', usrname: 'joe', password: 'x' } as never;
    expect(() => relay(options)).toThrow(
      /^relay: expected to, username, .*, not "usrname"; did you mean "username"\?$/,
    );
    expect(() => relay({ to: 'mx.example.com' })).toThrow(/^relay: to: expected lmtp:HOST:PORT or /);
  });

  it.each([
    [{ mechanisms: ['PLAIN', 'FOO'] }, /^relay: mechanisms: expected some of .*PLAIN.*, not "FOO"$/],
    [{ mechanisms: [] }, /^relay: mechanisms: expected some of .*, not an empty list$/],
    [{ mechanisms: ['PLAIN'], username: undefined, password: undefined }, /^relay: mechanisms: expected username/],
    [{ ehlo: 'a b' }, /^relay: ehlo: expected a domain/],
  ])('refuses options without a meaning: %j', (options, message) => {
    const given = { to: 'smtp:mx.example.com:25', username: 'joe', password: 'x', ...options } as RelayOptions;
    expect(() => relay(given)).toThrow(message);
  });

  it('needs a password with the user name', () => {
    expect(() => relay({ to: 'smtp:mx.example.com:25', username: 'joe', password: undefined })).toThrow(UsageError);
  });
});

describe('a server that relays', () => {
  let folder: string;
  let last: ServingPostern;

  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'postern-relay-'));
    last = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:relay:s3cret --deliver maildir:${folder}/mail --log silent`,
    );
  });

  afterAll(async () => {
    await last.stop();
    await rm(folder, { recursive: true });
  });

  async function send({ urls }: ServingPostern, recipient: string): Promise<void> {
    const transport = await connect({ endpoint: { host: '127.0.0.1', port: Number(urls[0]?.port) } });
    const responders = passwordResponders({ username: 'joe', password: 'mine' });
    await using client = await connectSmtp(transport, { hostname: 'client.example.com', responders });
    const body = [Buffer.from('Subject: hi\r\n\r\n.\r\n')];
    const [reply] = await client.send({ from: null, to: [new Mailbox(recipient, 'example.com')] }, body);
    if (reply?.code !== 250) throw new Error(String(reply));
  }

  it('logs in at the next server with the options of the config file', async () => {
    const config = join(folder, 'relay.config.ts');
    const to = `smtp:127.0.0.1:${last.urls[0]?.port}`;
    const index = new URL('../../packages/postern/src/index.ts', import.meta.url).href;
    await writeFile(
      config,
      `import { relay } from ${JSON.stringify(index)};
       export default { deliver: relay({
         to: '${to}', username: 'relay', password: 's3cret', mechanisms: ['plain'], ehlo: 'relay.example.org',
       }) };`,
    );
    await using first = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:mine --config ${config} --log silent`,
    );
    await send(first, 'ann');
    const delivered = join(folder, 'mail', 'ann@example.com', 'new');
    const [file = ''] = await readdir(delivered);
    const text = await readFile(join(delivered, file), 'latin1');
    expect(text.match(/^Received: /gm)).toHaveLength(2);
    expect(text).toMatch(/^Received: from relay\.example\.org /m);
    // A submission server may add header fields.
    expect(text).toMatch(
      /^Return-Path: <>\r\n(?:[\w-]+: .*\r\n(?:\s.*\r\n)*)*Subject: hi\r\n(?:[\w-]+: .*\r\n)*\r\n\.\r\n$/,
    );
  });

  it('reports a refusing next server to its client and its log', async () => {
    await using first = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --auth memory:joe:mine --deliver smtp:127.0.0.1:${last.urls[0]?.port ?? ''}`,
    );
    const refused = send(first, 'ann');
    await expect(refused).rejects.toThrow(SmtpReplyError);
    await expect(refused).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.3.5' } });
    await first.said(/the next server did not take a message/);
  });
});
