import { Conversation } from '@postern/conversation';
import { AvatarRealm, checker, Identity, identityOf, Portal, UsernamePassword } from '@postern/cred';
import { login, plain } from '@postern/sasl';
import { memoryPipe, readChunk, type Slicing, settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { runs } from '../support/fuzz.ts';
import { AuthServer } from './server.ts';

const UNIX = { family: 'unix', address: '', port: 0 } as const;
const JOE = Buffer.from('\0joe\0s3cret').toString('base64');

/** A mail server with a connection to the auth server. */
function connect(server: AuthServer, chunks: Slicing = 'whole') {
  const pipe = memoryPipe({ client: UNIX, server: UNIX, chunks });
  const ended = server.protocol(new Conversation(pipe.server, { deadlines: server.deadlines }));
  return { client: pipe.client, ended };
}

/** Reads octets until the text has as many lines, or the connection ends. */
async function readLines(client: ReturnType<typeof connect>['client'], count: number): Promise<string[]> {
  let text = '';
  while (text.split('\n').length <= count) {
    const chunk = await readChunk(client);
    if (chunk === undefined) break;
    text += Buffer.from(chunk).toString();
  }
  return text.split('\n').slice(0, -1);
}

describe('an auth server', () => {
  test('answers 10,000 requests in flight, the last first', async () => {
    const count = 10_000;
    const server = new AuthServer({ challengers: [login()] });
    const { client, ended } = connect(server);
    await readLines(client, 6);
    const ids = Array.from({ length: count }, (_, index) => index + 1);
    const sent = client.write(ids.map((id) => `AUTH\t${id}\tLOGIN\tservice=smtp\n`).join(''));
    expect(await readLines(client, count)).toHaveLength(count);
    await sent;
    const back = ids.toReversed();
    const named = client.write(back.map((id) => `CONT\t${id}\t${Buffer.from('joe').toString('base64')}\n`).join(''));
    expect(await readLines(client, count)).toHaveLength(count);
    await named;
    const proved = client.write(
      back.map((id) => `CONT\t${id}\t${Buffer.from('s3cret').toString('base64')}\n`).join(''),
    );
    const answers = await readLines(client, count);
    await proved;
    expect(answers).toEqual(back.map((id) => `OK\t${id}\tuser=joe`));
    client.end();
    await ended;
    expect(server.kinds).toHaveLength(count);
  });

  test('drops the work on its requests when the mail server is gone', async () => {
    let aborted = 0;
    const judge = (_credentials: UsernamePassword, { signal }: { signal: AbortSignal }): Promise<string> =>
      new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => {
          aborted++;
          reject(new Error('aborted'));
        });
      });
    const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(
      checker([UsernamePassword], judge),
    );
    const server = new AuthServer({ portal, challengers: [plain()] });
    const { client, ended } = connect(server);
    await readLines(client, 6);
    await client.write(`AUTH\t1\tPLAIN\tresp=${JOE}\nAUTH\t2\tPLAIN\tresp=${JOE}\n`);
    await settle();
    client.reset();
    await ended;
    expect(aborted).toBe(2);
    expect(server.events).toEqual([]);
    // The shared timer of the deadlines and the portal's own may run out.
    await server.clock.advance(120_000);
    expect(server.clock.pending).toBe(0);
  });

  test('closes a line of 1 MiB with one event, and keeps none of it', async () => {
    const server = new AuthServer();
    const { client, ended } = connect(server);
    await readLines(client, 12);
    const sent = (async () => client.write('x'.repeat(1024 * 1024)))().catch(() => {});
    expect(await readLines(client, 1)).toEqual([]);
    client.end();
    await ended;
    await sent;
    expect(server.events).toMatchObject([{ kind: 'protocol-error', problem: 'a line of more than 16384 octets' }]);
  });

  test('closes the connection of a client that reads nothing, after 30 seconds', async () => {
    const server = new AuthServer();
    const { client, ended } = connect(server);
    const line = `AUTH\t1\tPLAIN\tresp=${JOE}\n`;
    const flood = (async () => {
      for (let sent = 0; sent < 200; sent++) await client.write(line.repeat(500));
    })().catch(() => {});
    while (client.unread < 64 * 1024) await settle();
    let isOpen = true;
    const closed = ended.then(() => {
      isOpen = false;
    });
    for (let second = 0; second < 60 && isOpen; second++) await server.clock.advance(1_000);
    expect(isOpen).toBe(false);
    await closed;
    await flood;
    expect(server.events.filter(({ kind }) => kind === 'protocol-error')).toMatchObject([
      { problem: 'the mail server reads nothing' },
    ]);
    // One megabyte was never read: the server has stopped to hear.
    expect(server.kinds.length).toBeLessThan(100_000);
  });

  test('keeps 2,000 idle connections without a timer for each', async () => {
    const server = new AuthServer();
    const connections = Array.from({ length: 2_000 }, () => connect(server));
    for (const { client } of connections) await client.write('VERSION\t1\t0\nCPID\t1\n');
    await settle();
    // The one timer of the deadlines that all connections share.
    expect(server.clock.pending).toBe(1);
    await server.clock.advance(70_000);
    const last = connections.at(-1);
    await last?.client.write(`AUTH\t1\tPLAIN\tresp=${JOE}\n`);
    expect((await readLines(last?.client as never, 13)).at(-1)).toBe('OK\t1\tuser=joe');
    for (const { client } of connections) client.end();
    await Promise.all(connections.map(({ ended }) => ended));
  });

  test('gives one answer for each request, in any interleaving and any split', async () => {
    const request = fc.record({
      user: fc.constantFrom('joe', 'ann', 'eve'),
      steps: fc.constantFrom(0, 1, 2),
      ending: fc.constantFrom('right', 'wrong', 'bad', 'cancel'),
    });
    await fc.assert(
      fc.asyncProperty(
        fc.array(request, { maxLength: 8 }),
        fc.infiniteStream(fc.nat()),
        fc.constantFrom<Slicing>('whole', 'octets'),
        async (requests, choices, chunks) => {
          const server = new AuthServer({ challengers: [login()] });
          const { client, ended } = connect(server, chunks);
          await readLines(client, 6);
          const scripts = requests.map(({ user, steps, ending }, index) => linesOf(index + 1, user, steps, ending));
          const answers = requests.map(({ user, steps, ending }, index) => answerOf(index + 1, user, steps, ending));
          for (let open = scripts; open.length > 0; open = open.filter(({ length }) => length > 0)) {
            const script = open[(choices.next().value as number) % open.length];
            const line = script?.shift();
            if (line !== undefined) await client.write(line);
            await settle();
          }
          await server.clock.advance(2_000);
          client.end();
          const lines = await readLines(client, Number.POSITIVE_INFINITY);
          await ended;
          const outcomes = lines.filter((line) => !line.startsWith('CONT'));
          expect(outcomes.toSorted()).toEqual(answers.filter((answer) => answer !== undefined).toSorted());
        },
      ),
      { numRuns: runs(200) },
    );
  });
});

type Ending = 'right' | 'wrong' | 'bad' | 'cancel';

const PASSWORDS = new Map([
  ['joe', 's3cret'],
  ['ann', 'pa55word'],
]);

/** The lines of one request: it ends behind `steps` responses, or as `ending` says. */
function linesOf(id: number, user: string, steps: number, ending: Ending): string[] {
  const password = ending === 'right' ? (PASSWORDS.get(user) ?? 'x') : 'wrong';
  const lines = [`AUTH\t${id}\tLOGIN\tservice=smtp\n`];
  if (steps > 0 || ending === 'right' || ending === 'wrong') lines.push(`CONT\t${id}\t${base64(user)}\n`);
  if (ending === 'right' || ending === 'wrong') lines.push(`CONT\t${id}\t${base64(password)}\n`);
  else lines.push(ending === 'bad' ? `CONT\t${id}\t*\n` : `CANCEL\t${id}\n`);
  return lines;
}

function answerOf(id: number, user: string, _steps: number, ending: Ending): string | undefined {
  if (ending === 'cancel') return undefined;
  return ending === 'right' && PASSWORDS.has(user) ? `OK\t${id}\tuser=${user}` : `FAIL\t${id}`;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}
