import { mkdir, mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { LineClient } from '../support/line-client.ts';
import { type ServingPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-recipients-'));
});
afterEach(() => rm(folder, { recursive: true }));

const MX = words`--listen smtp://127.0.0.1:0?service=mx --hostname mx.example.com`;

describe('an MX with Maildirs', () => {
  it.each(['smtp://127.0.0.1:0?service=mx', 'lmtp://127.0.0.1:0', 'smtp://127.0.0.1:0?auth=none'])(
    'does not start without --recipients or --domains: %s',
    async (url) => {
      const { code, output } = await runInProcess(words`serve --listen ${url} --deliver maildir:${folder}/mail`);
      expect(output).toMatch(
        /^postern: .*expected --recipients or --domains .*--domains '\*' accepts every address\n$/,
      );
      expect(code).toBe(2);
    },
  );

  it('accepts every address of every domain with --domains *', async () => {
    await using server = await startInProcess(
      ...MX,
      ...words`--deliver maildir:${folder}/mail --domains * --log silent`,
    );
    expect(await rcpt(server, 'any@example.org', 'Postmaster')).toEqual(['250 2.1.5', '250 2.1.5']);
    await send(server, 'Any+tag@example.org');
    expect(await readdir(join(folder, 'mail'))).toEqual(['any@example.org']);
  });

  it('accepts every address of its domains and refuses other domains', async () => {
    await using server = await startInProcess(
      ...MX,
      ...words`--deliver maildir:${folder}/mail --domains example.com,example.net --log json`,
    );
    expect(await rcpt(server, 'a@example.com', 'b@EXAMPLE.net', 'c@example.org', 'postmaster')).toEqual([
      '250 2.1.5',
      '250 2.1.5',
      '550 5.7.1',
      '250 2.1.5',
    ]);
    expect(server.output()).toContain('mail for postmaster is accepted and has no reader');
  });

  it('accepts mail for its recipients only: a list, a file, and aliases', async () => {
    await writeFile(join(folder, 'recipients'), '# people\nbob@example.com\n');
    await writeFile(join(folder, 'aliases'), 'postmaster: ann\nsales: ann,\n  bob\n');
    await using server = await startInProcess(
      ...MX,
      ...words`--deliver maildir:${folder}/mail --recipients ann@example.com --recipients file:${folder}/recipients`,
      ...words`--aliases ${folder}/aliases --log json`,
    );
    const names = ['Ann@example.com', 'bob+x@example.com', 'sales@example.com', 'eve@example.com', 'ann@example.org'];
    expect(await rcpt(server, ...names)).toEqual(['250 2.1.5', '250 2.1.5', '250 2.1.5', '550 5.1.1', '550 5.7.1']);
    await send(server, 'sales@example.com', 'Postmaster', 'ann+x@example.com');
    expect((await readdir(join(folder, 'mail'))).toSorted()).toEqual(['ann@example.com', 'bob@example.com']);
    expect(await delivered('ann@example.com')).toMatch(
      /^Return-Path: <eve@example\.net>\r\nDelivered-To: sales@example\.com\r\n/,
    );
    expect(server.output()).not.toContain('postmaster');
  });

  it('accepts users by address, and by name at its domains', async () => {
    await using server = await startInProcess(
      ...MX,
      ...words`--deliver maildir:${folder}/mail --auth memory:Joe:s3cret-one --auth memory:ann@example.org:s3cret-two`,
      ...words`--recipients users --domains example.com,example.org --log silent`,
    );
    const names = ['joe@example.com', 'JOE@example.org', 'Ann@example.org', 'ann@example.com', 'joe@example.net'];
    expect(await rcpt(server, ...names)).toEqual(['250 2.1.5', '250 2.1.5', '250 2.1.5', '550 5.1.1', '550 5.7.1']);
  });

  it('reads its files again at SIGHUP and keeps the old content if the new one is wrong', async () => {
    const [recipients, aliases] = [join(folder, 'recipients'), join(folder, 'aliases')];
    await writeFile(recipients, 'ann@example.com\n');
    await writeFile(aliases, 'postmaster: ann\n');
    // A process of its own, since SIGHUP comes from the system here.
    await using server = await startPostern(
      ...MX,
      ...words`--deliver maildir:${folder}/mail --recipients file:${recipients} --aliases ${aliases} --log json`,
    );
    expect(await rcpt(server, 'bob@example.com')).toEqual(['550 5.1.1']);
    await writeFile(recipients, 'ann@example.com\nbob@example.com\n');
    server.kill('SIGHUP');
    await server.said(/recipients read again/);
    expect(await rcpt(server, 'bob@example.com')).toEqual(['250 2.1.5']);
    await writeFile(aliases, 'postmaster: ann\na: b\nb: a\n');
    server.kill('SIGHUP');
    await server.said(/the recipients cannot be used, the old ones stay/);
    expect(server.output()).toContain(`${aliases}:2: alias a: a loop: a > b > a`);
    expect(await rcpt(server, 'bob@example.com', 'a@example.com')).toEqual(['250 2.1.5', '550 5.1.1']);
  });

  it('calls a function of the config file and replies 451 if the function throws', async () => {
    const config = join(folder, 'postern.config.mjs');
    await writeFile(
      config,
      `export default {
        domains: ['example.com'],
        recipients: async ({ localPart }) => {
          if (localPart === 'broken') throw new Error('no database');
          return localPart === 'ann' || (localPart === 'sales' && ['ann@example.com']);
        },
        aliases: { postmaster: 'ann', help: ['ann', 'sales'] },
      };`,
    );
    await using server = await startInProcess(
      ...MX,
      ...words`--deliver maildir:${folder}/mail --config ${config} --log json`,
    );
    const names = ['ANN@example.com', 'sales@example.com', 'eve@example.com', 'broken@example.com', 'x@example.org'];
    expect(await rcpt(server, ...names)).toEqual(['250 2.1.5', '250 2.1.5', '550 5.1.1', '451 4.3.0', '550 5.7.1']);
    await server.said(/no database/);
  });
});

describe('a listener for submission', () => {
  it('into Maildirs refuses unknown recipients as well', async () => {
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --deliver maildir:${folder}/mail --recipients ann@example.com`,
      ...words`--auth memory:joe:s3cret --log silent`,
    );
    const names = ['ann@example.com', 'eve@example.com', 'ann@example.org'];
    expect(await rcpt(server, ...names)).toEqual(['250 2.1.5', '550 5.1.1', '550 5.7.1']);
  });

  it('that relays lets users send anywhere, and anonymous clients to local domains only', async () => {
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --listen smtp://127.0.0.1:0?service=mx&auth=none --deliver discard`,
      ...words`--recipients ann@example.com --auth memory:joe:s3cret --log silent`,
    );
    const names = ['ann@example.com', 'eve@example.com', 'ann@example.org', 'ann+x%example.org@example.com'];
    expect(await rcpt(server, ...names)).toEqual(['250 2.1.5', '550 5.1.1', '250 2.1.5', '250 2.1.5']);
    expect(await rcpt(second(server), ...names)).toEqual(['250 2.1.5', '550 5.1.1', '550 5.7.1', '550 5.7.1']);
  });
});

describe('own senders', () => {
  it('are the addresses of the users, in any case, with tags', async () => {
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --listen smtp://127.0.0.1:0?service=mx&auth=none --deliver discard`,
      ...words`--auth memory:joe:s3cret --own-senders users --domains example.com --log silent`,
    );
    expect(await mail(server, 'joe@example.com', 'Joe+x@EXAMPLE.com', 'ann@example.com', 'joe@example.org')).toEqual([
      '250 2.1.0',
      '250 2.1.0',
      '553 5.7.1',
      '553 5.7.1',
    ]);
    expect(await mail(server, '')).toEqual(['250 2.1.0']);
    // A sender from outside has not logged in.
    expect(await mail(second(server), 'ann@example.org')).toEqual(['250 2.1.0']);
  });

  it('come from a file, which SIGHUP reads again', async () => {
    const file = join(folder, 'senders');
    await writeFile(file, 'Joe: joe@example.com, @joe.example\n');
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --deliver discard --auth memory:joe:s3cret --own-senders file:${file} --log json`,
    );
    const names = ['joe@example.com', 'x@joe.example', 'ann@example.com'];
    expect(await mail(server, ...names)).toEqual(['250 2.1.0', '250 2.1.0', '553 5.7.1']);
    await writeFile(file, 'joe: ann@example.com\n');
    server.kill('SIGHUP');
    await server.said(/own senders read again/);
    expect(await mail(server, ...names)).toEqual(['553 5.7.1', '553 5.7.1', '250 2.1.0']);
    await writeFile(file, 'joe: ann@\n');
    server.kill('SIGHUP');
    await server.said(/the own senders cannot be used, the old ones stay/);
    expect(server.output()).toContain(`${file}:1: expected addresses or @domain, not`);
  });

  it('come from a function of the config file; the reply is 451 if it throws', async () => {
    const config = join(folder, 'postern.config.mjs');
    await writeFile(
      config,
      `let calls = 0;
      export default {
        recipientDelimiter: '-',
        ownSenders: async (user) => {
          calls += 1;
          if (calls === 3) throw new Error('no database');
          return [user + '@example.com'];
        },
      };`,
    );
    await using server = await startInProcess(
      ...words`--listen smtp://127.0.0.1:0 --deliver discard --auth memory:joe:s3cret --config ${config} --log json`,
    );
    expect(await mail(server, 'joe-x@example.com', 'joe+x@example.com', 'joe@example.com')).toEqual([
      '250 2.1.0',
      '553 5.7.1',
      '451 4.3.0',
    ]);
  });
});

describe('Maildirs of the command', () => {
  it('have the mode and the group of the options, and tell upper from lower case on request', async () => {
    const group = process.getgid?.() ?? 0;
    await using server = await startInProcess(
      ...MX,
      ...words`--deliver maildir:${folder}/mail?mode=640&group=${String(group)}&caseSensitive=yes --domains example.com`,
      ...words`--recipient-delimiter - --log silent`,
    );
    await send(server, 'Ann-x@example.com', 'ann+x@example.com');
    expect((await readdir(join(folder, 'mail'))).toSorted()).toEqual(['%41nn@example.com', 'ann+x@example.com']);
    const { mode, gid } = await stat(join(folder, 'mail', '%41nn@example.com', 'new'));
    expect([mode & 0o7777, gid]).toEqual([0o2750, group]);
  });
});

describe('invalid options end with 2', () => {
  it.each([
    ['--recipients users', '--recipients: users: expected a user database'],
    ['--recipients ann@', '--recipients: expected users, file:FILE, or addresses'],
    ['--recipients file:/nonexistent/recipients', '--recipients: /nonexistent/recipients: expected a readable file'],
    ['--aliases /nonexistent/aliases', '--aliases: /nonexistent/aliases: expected a readable file'],
    ['--domains exa_mple..com', '--domains: expected domains, such as example.com, or *'],
    ['--domains *,example.com', '--domains: expected * alone, or domains'],
    ['--own-senders everybody', '--own-senders: expected users or file:FILE'],
    ['--own-senders usrs', '--own-senders: expected users or file:FILE; did you mean "users"?'],
    ['--recipient-delimiter x', '--recipient-delimiter: expected characters such as + or -'],
    ['--deliver maildir:mail?mode=999', '--deliver: expected mode=660'],
    ['--deliver maildir:mail?mode=440', 'maildir: mode: expected permissions'],
    ['--deliver maildir:mail?group=no-such-group', '--deliver: maildir: group: expected a group of /etc/group'],
    ['--deliver maildir:mail?colour=red', '--deliver: expected mode, group or caseSensitive'],
    ['--deliver maildir:mail?caseSensitive=maybe', '--deliver: expected caseSensitive=yes'],
  ])('%s', async (options, message) => {
    const auth = options.includes('users') ? 'trusted' : 'memory:joe:s3cret';
    const { code, output } = await runInProcess([
      ...words`serve --listen smtp://127.0.0.1:0 --auth ${auth}`,
      ...options.split(' '),
    ]);
    expect(output).toContain(`postern: ${message}`);
    expect(code).toBe(2);
  });

  it('aliases with a mistake: the message names the line', async () => {
    await mkdir(join(folder, 'mail'));
    await writeFile(join(folder, 'aliases'), '# none\npostmaster: ann\nsales: "|/usr/bin/vacation", ann\n');
    const options = words`--deliver maildir:${folder}/mail --recipients ann@example.com --aliases ${folder}/aliases`;
    const { code, output } = await runInProcess(['serve', ...MX, ...options]);
    expect(output).toContain(`postern: ${folder}/aliases:3: alias sales: expected addresses`);
    expect(code).toBe(2);
  });
});

/** Connects to the first listener and logs in where it offers AUTH. */
async function open({ urls }: Listening): Promise<LineClient> {
  const client = new LineClient(connect({ host: '127.0.0.1', port: Number(urls[0]?.port) }));
  await client.hear();
  const greeting = await client.say('EHLO client.example.net');
  if (/AUTH /.test(greeting)) await client.say(`AUTH PLAIN ${PLAIN}`);
  return client;
}

type Listening = Pick<ServingPostern, 'urls'>;

/** Returns the second listener. */
function second({ urls }: Listening): Listening {
  return { urls: urls.slice(1) };
}

/** Resolves to the codes of each reply to RCPT: `250 2.1.5`. */
async function rcpt(server: Listening, ...names: readonly string[]): Promise<readonly string[]> {
  using client = await open(server);
  await client.say('MAIL FROM:<eve@example.net>');
  return await codes(names.map((name) => () => client.say(`RCPT TO:<${name}>`)));
}

/** Resolves to the codes of each reply to MAIL: `250 2.1.0`. */
async function mail(server: Listening, ...names: readonly string[]): Promise<readonly string[]> {
  using client = await open(server);
  return await codes(
    names.map((name) => async () => {
      const reply = await client.say(`MAIL FROM:<${name}>`);
      await client.say('RSET');
      return reply;
    }),
  );
}

async function codes(calls: readonly (() => Promise<string>)[]): Promise<readonly string[]> {
  const found: string[] = [];
  for (const call of calls) found.push((await call()).slice(0, 9));
  return found;
}

async function send(server: Listening, ...to: readonly string[]): Promise<void> {
  using client = await open(server);
  await client.say('MAIL FROM:<eve@example.net>');
  for (const name of to) expect(await client.say(`RCPT TO:<${name}>`)).toMatch(/^250 /);
  await client.say('DATA');
  expect(await client.say('Subject: hello\r\n\r\nhello\r\n.')).toMatch(/^250 /);
}

/** Resolves to the text of the only message in a Maildir. */
async function delivered(recipient: string): Promise<string> {
  const inbox = join(folder, 'mail', recipient, 'new');
  const [name = '', ...others] = await readdir(inbox);
  expect(others).toEqual([]);
  return await readFile(join(inbox, name), 'latin1');
}

const PLAIN = Buffer.from('\0joe\0s3cret').toString('base64');
