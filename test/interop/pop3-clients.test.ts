import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Conversation } from '@postern/conversation';
import { connect } from '@postern/node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type CertificateFiles, certificateFiles } from '../support/certificates.ts';
import { MAIL_SAMPLES } from '../support/mail-samples.ts';
import {
  POP3_CHANNELS,
  POP3_CLIENTS,
  type Pop3Account,
  type Pop3Channel,
  type Pop3Client,
  type RetrieveOptions,
} from '../support/pop3-clients/index.ts';
import { type RunningPostern, startPostern, UNTHROTTLED_CONFIG } from '../support/postern.ts';
import { skips, words } from '../support/program.ts';
import { ResourceStack } from '../support/resource-stack.ts';
import { submit } from '../support/submit.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/** A cell of the matrix, with a user of its own. */
interface Cell {
  readonly client: Pop3Client;
  readonly channel: Pop3Channel;
  readonly login: string;
  readonly user: string;
  /** The messages in the mailbox. One cell of each client and channel has the message of 1 MiB. */
  readonly samples: readonly Buffer[];
}

const SMALL_SAMPLES = MAIL_SAMPLES.slice(0, 2);
const LARGE_SAMPLES = MAIL_SAMPLES.slice(2);
const CELLS: readonly Cell[] = POP3_CLIENTS.flatMap((client) =>
  POP3_CHANNELS.flatMap((channel) =>
    client.logins[channel].map((login, index) => ({
      client,
      channel,
      login,
      samples: index === 0 ? MAIL_SAMPLES : SMALL_SAMPLES,
    })),
  ),
).map((cell, index) => ({ ...cell, user: `user${index}@example.com` }));

const resources = new ResourceStack();
let folder: string;
let maildirs: string;
let files: CertificateFiles;
let postern: RunningPostern;

beforeAll(async () => {
  folder = resources.use(temporaryFolder('pop3-clients')).path;
  maildirs = join(folder, 'mail');
  files = await certificateFiles(folder);
  const users = [...CELLS.map(({ user }) => user), ...POP3_CLIENTS.map(busyUser)];
  postern = await startPostern(
    ...words`--config ${UNTHROTTLED_CONFIG}`,
    ...words`--listen smtp://127.0.0.1:0 --listen pop3://127.0.0.1:0 --listen pop3s://127.0.0.1:0`,
    ...words`--tls-cert ${files.cert} --tls-key ${files.key} --hostname mail.example.com --log json`,
    ...words`--deliver maildir:${maildirs} ${users.flatMap((user) => ['--auth', `memory:${user}:s3cret`])}`,
  );
  resources.defer(async () => {
    expect(await postern.stop()).toBe(0);
    expect(postern.output()).not.toMatch(/s3cret|czNjcmV0/);
  });
  const account = { port: Number(postern.urls[0]?.port), username: users[0] ?? '', password: 's3cret' };
  await submit(account, users, SMALL_SAMPLES);
  const largeUsers = CELLS.filter(({ samples }) => samples === MAIL_SAMPLES).map(({ user }) => user);
  await submit(account, largeUsers, LARGE_SAMPLES);
});

afterAll(() => resources.close());

for (const client of POP3_CLIENTS) {
  describe.skipIf(skips(client.program, client.debianPackages))(client.name, () => {
    const cells = CELLS.filter((cell) => cell.client === client) as [Cell, ...Cell[]];

    beforeAll(async () => {
      console.log(await client.version());
    });

    afterAll(() => client[Symbol.asyncDispose]?.());

    it('keeps messages and knows them again', async () => {
      const account = await accountOf(cells[0]);
      await expectRetrieved(cells[0], account);
      if (!client.skipsKnown) return await expectRetrieved(cells[0], account);
      expect(await client.retrieve(account)).toMatchObject({ code: 0, messages: [] });
    });

    for (const channel of POP3_CHANNELS.filter((name) => client.logins[name].length > 0)) {
      describe.concurrent(`over ${channel}`, () => {
        for (const cell of cells.filter((other) => other.channel === channel)) {
          it(`retrieves and removes messages with ${cell.login}`, async () => {
            await expectRetrieved(cell, await accountOf(cell), { remove: true });
            expect(await storedMessages(cell.user)).toEqual([]);
          });
        }
      });
    }

    describe.concurrent('with a wrong password', () => {
      const logins = new Map(cells.toReversed().map((cell) => [cell.login, cell]));
      it.each([...logins])('is refused with %s', async (_login, cell) => {
        await expectRefused(client, { ...(await accountOf(cell)), password: 'wrong' });
      });
    });

    it('is refused while another session has the mailbox open', async () => {
      const cell = { ...cells[0], user: busyUser(client), samples: SMALL_SAMPLES };
      const account = await accountOf(cell);
      const session = await openSession(account);
      await expectRefused(client, account);
      await session.quit();
      await expectRetrieved(cell, account);
    });
  });
}

/** Expects that the client reports a refused login. */
async function expectRefused(client: Pop3Client, account: Pop3Account): Promise<void> {
  const { code, output } = await client.retrieve(account);
  expect(code, output).not.toBe(0);
  expect(output).toMatch(client.refusal);
}

/** Expects that the client retrieves each message of the cell octet for octet. */
async function expectRetrieved(
  { client, user, samples }: Cell,
  account: Pop3Account,
  options?: RetrieveOptions,
): Promise<void> {
  const stored = await storedMessages(user);
  for (const sample of samples) {
    expect(stored.some((message) => message.subarray(-sample.length).equals(sample))).toBe(true);
  }
  const { code, output, messages } = await client.retrieve(account, options);
  expect(code, output).toBe(0);
  const texts = (list: readonly Buffer[]) =>
    list.map((message) => withLineEnds(message.toString('latin1'), client)).sort();
  const [retrieved, expected] = [texts(messages), texts(stored)];
  expect(retrieved.map(({ length }) => length)).toEqual(expected.map(({ length }) => length));
  // The report of a failure holds no mebibyte.
  expect(retrieved.every((text, index) => text === expected[index])).toBe(true);
}

/** Resolves to the account of a cell, with a folder where the client knows no message. */
async function accountOf({ channel, login, user }: Cell): Promise<Pop3Account> {
  return {
    port: Number(postern.urls[channel === 'implicit TLS' ? 2 : 1]?.port),
    channel,
    login,
    user,
    password: 's3cret',
    ca: files.ca,
    folder: await mkdtemp(join(folder, 'client-')),
  };
}

/** Opens a mailbox. */
async function openSession({ port, user, password }: Pop3Account): Promise<{ quit(): Promise<void> }> {
  const transport = await connect({ endpoint: { host: '127.0.0.1', port }, tlsPolicy: 'none' });
  const session = new Conversation(transport);
  const hearOk = async () => expect(String(await session.hearLine(512))).toMatch(/^\+OK/);
  await hearOk();
  for (const line of [`USER ${user}`, `PASS ${password}`]) {
    session.say(`${line}\r\n`);
    await hearOk();
  }
  return {
    async quit() {
      session.say('QUIT\r\n');
      await hearOk();
      await session.close();
    },
  };
}

/** Resolves to the messages in a user's Maildir. */
async function storedMessages(user: string): Promise<readonly Buffer[]> {
  const messages: Buffer[] = [];
  for (const part of ['new', 'cur']) {
    for (const name of await readdir(join(maildirs, user, part))) {
      messages.push(await readFile(join(maildirs, user, part, name)));
    }
  }
  return messages;
}

/** Removes the CR of each CRLF for a client that does so. */
function withLineEnds(text: string, { lineEnds }: Pop3Client): string {
  return lineEnds === '\n' ? text.replaceAll('\r\n', '\n') : text;
}

/** Returns a user whose mailbox another session has open. */
function busyUser(client: Pop3Client): string {
  return `busy${POP3_CLIENTS.indexOf(client)}@example.com`;
}
