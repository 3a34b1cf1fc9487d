import { spawn } from 'node:child_process';
import { once } from 'node:events';
import * as promises from 'node:fs/promises';
import { mkdir, mkdtemp, readdir, rename, rm, unlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { type FileSystem, MaildirMailboxes } from '@postern/maildir';
import { type Listener, listen } from '@postern/node';
import { type Limits, logTo, Mailbox, pop3 } from '@postern/pop3';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Pop3Client } from '../support/pop3-client.ts';
import { run } from '../support/program.ts';

let folder: string;
let site: Site;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-bad-input-'));
  for (const user of ['ann', 'bob']) await fill(user, 3);
  site = await Site.start();
});

afterEach(async () => {
  await site.close();
  await rm(folder, { recursive: true });
});

describe('a line without an end', () => {
  it('is refused once, and the octets behind its end are a command again', async () => {
    using client = await site.connect();
    for (let sent = 0; sent < 64; sent++) client.socket.write('x'.repeat(65_536));
    expect(await client.say('')).toBe('-ERR line too long');
    expect(await client.tryLogIn('ann', 's3cret')).toMatch(/^\+OK/);
    await client.quit();
    expect(await site.logged('refused')).toHaveLength(1);
  });
});

describe('a mailbox that another program changes during a session', () => {
  it('keeps its numbers, answers for the removed message and sends the others', async () => {
    using client = await site.logIn('ann');
    await unlink(path('ann', 'new', 2));
    await rename(path('ann', 'new', 3), `${path('ann', 'cur', 3)}:2,FS`);
    await put('ann', 4);
    expect(await client.say('STAT')).toBe('+OK 3 39');
    expect(await client.say('RETR 2')).toBe('-ERR no such message, another program has removed it');
    expect(await client.ask('RETR 3')).toBe(messageText(3));
    expect(await client.say('DELE 1')).toMatch(/^\+OK/);
    expect(await client.say('DELE 2')).toMatch(/^\+OK/);
    await client.quit();
    expect(await names('ann')).toEqual([`${name(3)}:2,FS`, name(4)]);
    expect(await site.logged('refused')).toHaveLength(1);
    expect(await site.logged('failure')).toEqual([]);
  });

  it('answers each command of a session whose Maildir is removed, and makes a new one later', async () => {
    using client = await site.logIn('ann');
    await rm(join(folder, 'ann'), { recursive: true });
    expect(await client.say('RETR 1')).toBe('-ERR no such message, another program has removed it');
    expect(await client.say('DELE 1')).toMatch(/^\+OK/);
    expect(await client.say('QUIT')).toBe('-ERR [SYS/TEMP] some deleted messages not removed');
    using later = await site.logIn('ann');
    expect(await later.say('STAT')).toBe('+OK 0 0');
    await later.quit();
    expect(await site.logged('failure')).toHaveLength(1);
  });
});

describe('a file that the server cannot read', () => {
  it('is refused for now, one failure is logged, and the messages beside it are sent', async () => {
    await site.close();
    site = await Site.start({ files: unreadable(name(2)) });
    using client = await site.logIn('ann');
    expect(await client.say('RETR 2')).toBe('-ERR [SYS/TEMP] message not available');
    expect(await client.ask('RETR 3')).toBe(messageText(3));
    await client.quit();
    expect(await names('ann')).toHaveLength(3);
    expect(await site.logged('failure')).toEqual([expect.stringMatching(/operator.*EACCES/)]);
  });

  it('is not listed if it is a folder, a FIFO, a socket or a link, and keeps no session waiting', async () => {
    await mkdir(path('ann', 'new', 5));
    await run('mkfifo', [path('ann', 'new', 6)]);
    await promises.symlink('/etc/passwd', path('ann', 'new', 7));
    using client = await site.logIn('ann');
    expect(await client.say('STAT')).toBe('+OK 3 39');
    await client.quit();
    expect(await names('ann')).toHaveLength(6);
  });

  it('becomes a FIFO during the session, and keeps no session waiting', async () => {
    using client = await site.logIn('ann');
    await unlink(path('ann', 'new', 1));
    await run('mkfifo', [path('ann', 'new', 1)]);
    const status = await client.say('RETR 1');
    if (status.startsWith('+OK')) expect(await client.hear()).toBe('.');
    expect(await client.ask('RETR 2')).toBe(messageText(2));
  });
});

describe('the lock of a killed process', () => {
  it('is taken over at once', async () => {
    const script = `
      import { MaildirMailboxes } from '@postern/maildir';
      await new MaildirMailboxes(${JSON.stringify(folder)}).open('ann');
      console.log('locked');
      setInterval(() => {}, 1_000_000);`;
    const args = ['--input-type=module', '--eval', script];
    const holder = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] });
    await once(holder.stdout, 'data');
    using early = await site.connect();
    expect(await early.tryLogIn('ann', 's3cret')).toBe('-ERR [IN-USE] maildrop already locked');
    holder.kill('SIGKILL');
    await once(holder, 'exit');
    expect(await early.tryLogIn('ann', 's3cret')).toMatch(/^\+OK/);
    await early.quit();
    expect((await readdir(join(folder, 'ann'))).toSorted()).toEqual(['cur', 'new', 'tmp']);
  });
});

describe('two sessions of one user', () => {
  it('are one session and one refusal, and QUIT lets the second one in', async () => {
    using first = await site.logIn('ann');
    using second = await site.connect();
    expect(await second.tryLogIn('ann', 's3cret')).toBe('-ERR [IN-USE] maildrop already locked');
    expect(await first.say('DELE 1')).toMatch(/^\+OK/);
    await first.quit();
    expect(await second.tryLogIn('ann', 's3cret')).toBe('+OK maildrop has 2 messages (26 octets)');
    expect(await site.logged('IN-USE')).toHaveLength(1);
  });

  it('are independent if the first client vanishes: nothing is deleted', async () => {
    const first = await site.logIn('ann');
    expect(await first.say('DELE 1')).toMatch(/^\+OK/);
    first.socket.resetAndDestroy();
    using second = await Pop3Client.logIn(site.port, 'ann', 's3cret');
    expect(await second.say('STAT')).toBe('+OK 3 39');
  });
});

describe('a client that stops reading in RETR', () => {
  it('slows no other session, and loses its own after the timeout and nothing else', async () => {
    await site.close();
    await writeFile(path('ann', 'new', 1), `${'x'.repeat(19_999_998)}\r\n`);
    site = await Site.start({ limits: { idleTimeout: 1_000 } });
    using deaf = await site.logIn('ann');
    expect(await deaf.say('DELE 2')).toMatch(/^\+OK/);
    deaf.send('RETR 1');
    deaf.socket.pause();
    for (let round = 0; round < 5; round++) {
      using other = await site.logIn('bob');
      for (const index of [1, 2, 3]) expect(await other.ask(`RETR ${index}`)).toBe(messageText(index));
      await other.quit();
    }
    using later = await Pop3Client.logIn(site.port, 'ann', 's3cret');
    expect(await later.say('LIST 1')).toBe('+OK 1 20000000');
    expect(await names('ann')).toEqual([name(1), name(2), name(3)]);
    await later.quit();
    expect((await site.logged('mailbox closed')).filter((line) => line.includes('timeout'))).toHaveLength(1);
  });
});

/** A POP3 server over the Maildirs of ann and bob, whose passwords are `s3cret`. */
class Site {
  readonly port: number;
  readonly #listener: Listener;
  readonly #lines: string[];

  private constructor(listener: Listener, lines: string[]) {
    this.#listener = listener;
    this.port = Number(new URL(String(listener.url)).port);
    this.#lines = lines;
  }

  static async start(options: { readonly files?: FileSystem; readonly limits?: Partial<Limits> } = {}) {
    const { files = promises, limits = {} } = options;
    const lines: string[] = [];
    const log = (fields: object, message: string): void => {
      lines.push([message, ...Object.values(fields).map(String)].join(' '));
    };
    const mailboxes = new MaildirMailboxes(folder, { files });
    const realm = new AvatarRealm().provide(Mailbox, (user, mind) => mailboxes.open(String(user), mind));
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 's3cret', bob: 's3cret' });
    const protocol = pop3({
      hostname: 'mx.example.com',
      portal: new Portal(realm).register(users),
      limits,
      onEvent: logTo({ info: log, warn: log, error: log }),
    });
    return new Site(await listen({ endpoint: { host: '127.0.0.1', port: 0 }, protocol, onError: () => {} }), lines);
  }

  connect(): Promise<Pop3Client> {
    return Pop3Client.connect(this.port);
  }

  async logIn(user: string): Promise<Pop3Client> {
    const client = await this.connect();
    expect(await client.tryLogIn(user, 's3cret')).toMatch(/^\+OK/);
    return client;
  }

  /** Closes the server, and resolves to the log lines with this text. */
  async logged(text: string): Promise<readonly string[]> {
    await this.close();
    return this.#lines.filter((line) => line.includes(text));
  }

  async close(): Promise<void> {
    await this.#listener.close({ shutdownTimeout: 0 });
  }
}

/** A file system in which no program may open the files with this name. */
function unreadable(forbidden: string): FileSystem {
  return {
    ...promises,
    open: async (file, ...rest) => {
      if (String(file).endsWith(forbidden))
        throw Object.assign(new Error('EACCES: permission denied'), { code: 'EACCES', syscall: 'open' });
      return await promises.open(file, ...rest);
    },
  };
}

/** Puts messages with the numbers from 1 into `new` of a user's Maildir. */
async function fill(user: string, count: number): Promise<void> {
  for (const subfolder of ['tmp', 'new', 'cur']) await mkdir(join(folder, user, subfolder), { recursive: true });
  for (let index = 1; index <= count; index++) await put(user, index);
}

async function put(user: string, index: number): Promise<void> {
  await writeFile(path(user, 'new', index), messageText(index));
}

function path(user: string, subfolder: string, index: number): string {
  return join(folder, user, subfolder, name(index));
}

function name(index: number): string {
  return `170000000${index}.M0P1.example`;
}

/** A message of 13 octets. */
function messageText(index: number): string {
  return `\r\nmessage ${index}\r\n`;
}

async function names(user: string): Promise<readonly string[]> {
  const all = await Promise.all(['new', 'cur'].map((subfolder) => readdir(join(folder, user, subfolder))));
  return all.flat().toSorted();
}
