import { mkdtempSync, readdirSync, readlinkSync, statSync } from 'node:fs';
import { mkdtemp, open, readdir, rm, unlink } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Conversation, PeerGone } from '@postern/conversation';
import { RelayDelivery, type SmarthostOptions } from '@postern/relay';
import { memoryPipe } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Shares } from '../../packages/relay/src/shares.ts';
import { Spool, type SpoolFile, type SpoolFiles } from '../../packages/relay/src/spool.ts';
import { SpooledContent } from '../../packages/relay/src/spooled-content.ts';
import { play } from '../esmtp/client/scripted-server.ts';
import { runs } from '../support/fuzz.ts';
import { resultsOf } from '../support/results.ts';
import { ann, codes, deliver, envelope, finish, greeting, HELLO, RSET, scripted, TO_ANN } from './upstream.ts';

const LINE = `${'x'.repeat(998)}\r\n`;
const LARGE = LINE.repeat(100);
const LARGE_SENT = `${TO_ANN}${`\nC: ${LINE.trimEnd()}`.repeat(100)}\nC: .`;

async function temporaryDirectory(): Promise<string> {
  const directory = await mkdtemp(join(tmpdir(), 'spool-'));
  onTestFinished(() => rm(directory, { recursive: true }));
  return directory;
}

/** The files of the directory that this process has open, whether they have a name or not. */
function openFiles(directory: string): readonly string[] {
  return readdirSync('/proc/self/fd').flatMap((fd) => {
    try {
      const target = readlinkSync(`/proc/self/fd/${fd}`);
      return target.startsWith(directory) ? [fd] : [];
    } catch {
      return [];
    }
  });
}

/** A smarthost with a spool of its own, that plays the scripts. */
async function spooling(
  scripts: readonly string[],
  options: Partial<SmarthostOptions> = {},
  highWaterMark = 1_000_000,
) {
  const spoolDirectory = await temporaryDirectory();
  const upstream = scripted(scripts, { spoolDirectory, ...options }, { highWaterMark });
  /** What is left of messages that are over. */
  const left = async () => [await readdir(spoolDirectory), openFiles(spoolDirectory)];
  return { ...upstream, spoolDirectory, left };
}

describe('a message above 64 KiB', () => {
  it('is stored in a file without a name, readable only by its user', async () => {
    const { delivery, over, left, spoolDirectory } = await spooling([`${greeting()}${LARGE_SENT}\nS: 250 2.0.0 kept`]);
    const message = delivery.openMessage(envelope([ann]));
    await message.write(Buffer.from(LARGE.slice(0, 65_536)));
    expect(openFiles(spoolDirectory)).toEqual([]);
    await message.write(Buffer.from(LARGE.slice(65_536)));
    const [fd, ...more] = openFiles(spoolDirectory);
    expect(more).toEqual([]);
    expect(await readdir(spoolDirectory)).toEqual([]);
    expect(statSync(`/proc/self/fd/${fd}`).mode & 0o777).toBe(0o600);
    expect(codes(resultsOf(await message.end()))).toEqual([250]);
    expect(await left()).toEqual([[], []]);
    await over();
  });

  it.each([
    ['is refused', `${greeting()}${LARGE_SENT}\nS: 554 5.7.1 spam`],
    [
      'is refused at RCPT',
      `${greeting()}\nC: MAIL FROM:<joe@example.com>\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 550 no`,
    ],
    ['is not answered', `${greeting()}${LARGE_SENT}\nS: <close>`],
    ['finds no server', undefined],
  ])('leaves no file if it %s', async (_how, script) => {
    const { delivery, left } = await spooling(script === undefined ? [] : [script]);
    await finish(delivery.openMessage(envelope([ann])), LARGE).catch(() => {});
    expect(await left()).toEqual([[], []]);
  });

  it('leaves no file and sends nothing if the client disconnects or the server shuts down', async () => {
    const { delivery, left, smarthost } = await spooling([]);
    const messages = [1, 2].map(() => delivery.openMessage(envelope([ann])));
    for (const message of messages) await message.write(Buffer.from(LARGE));
    await messages[0]?.abort(new PeerGone());
    const written = messages[1]?.write(Buffer.from(LARGE));
    await Promise.all([smarthost.close(), written, messages[1]?.abort(new Error('closing'))]).catch(() => {});
    expect(await left()).toEqual([[], []]);
  });

  /** A smarthost whose first connection is reset when its script is over. */
  async function resetting(first: string, ...scripts: readonly string[]) {
    const pipes = [first, ...scripts].map((script, at) => {
      const pipe = memoryPipe({ highWaterMark: 1_000 });
      const played = play(new Conversation(pipe.server), script.trim().split('\n'));
      return { client: pipe.client, over: at === 0 ? played.then(() => pipe.server.reset()) : played };
    });
    const clients = pipes.map(({ client }) => client);
    const connect = async () => clients.shift() ?? Promise.reject(new Error('nobody answers there'));
    const { delivery, left } = await spooling([], { connect });
    return { delivery, left, clients, over: () => Promise.all(pipes.map(({ over }) => over)) };
  }

  /** More than one piece of the file, so that the second one finds the connection broken. */
  const LINES = `\nC: ${LINE.trimEnd()}`.repeat(300);
  const BROKEN = `${TO_ANN}\nC: ${LINE.trimEnd()}`;

  it('is sent once more if a kept connection breaks before the end of data', async () => {
    const first = `${greeting()}${TO_ANN}${HELLO}${RSET}${BROKEN}`;
    const { delivery, left, over } = await resetting(first, `${greeting()}${TO_ANN}${LINES}\nC: .\nS: 250 2.0.0 kept`);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(codes(await finish(delivery.openMessage(envelope([ann])), LINE.repeat(300)))).toEqual([250]);
    expect(await left()).toEqual([[], []]);
    await over();
  });

  it('is sent once if the connection is new', async () => {
    const { delivery, left, clients } = await resetting(`${greeting()}${BROKEN}`, greeting());
    await expect(finish(delivery.openMessage(envelope([ann])), LINE.repeat(300))).rejects.toMatchObject({
      reply: { code: 451, enhanced: '4.4.2' },
    });
    expect(clients).toHaveLength(1);
    expect(await left()).toEqual([[], []]);
  });

  it('declares its true size', async () => {
    const hello = greeting('SIZE 200000');
    const mail = (size: number) => LARGE_SENT.replace('example.com>', `example.com> SIZE=${size}`);
    const announced = `\nC: MAIL FROM:<joe@example.com> SIZE=1034\nS: 250 ok\nC: RCPT TO:<ann@example.org>\nS: 250 ok`;
    const { delivery, over } = await spooling([
      `${hello}${mail(100_000)}\nS: 250 2.0.0 kept${RSET}${announced}${RSET}${mail(100_000)}\nS: 250 2.0.0 kept`,
    ]);
    expect(codes(await finish(delivery.openMessage(envelope([ann])), LARGE))).toEqual([250]);
    expect(await deliver(delivery, envelope([ann], { size: 10 }), LARGE)).toEqual([250]);
    await over();
  });
});

describe('the spool', () => {
  it('is bounded for all and for each client, and is empty at the end', async () => {
    const { smarthost, troubles, left } = await spooling([], { maxSpoolOctets: 400_000 });
    const from = (address: string) => {
      const mind = { remote: { family: 'IPv4', address, port: 1 } } as const;
      return new RelayDelivery(smarthost, { avatarId: 'joe', mind }).openMessage(envelope([ann]));
    };
    const [first, second] = [from('192.0.2.1'), from('192.0.2.2')];
    await first.write(Buffer.from(LARGE));
    const refused = expect.objectContaining({ reply: expect.objectContaining({ code: 452, enhanced: '4.3.1' }) });
    expect(() => second.write(Buffer.from('x'))).toThrow(refused);
    const others = [1, 2, 3, 4].map(() => new RelayDelivery(smarthost).openMessage(envelope([ann])));
    for (const other of others.slice(0, 3)) await other.write(Buffer.from(LARGE));
    expect(() => others[3]?.write(Buffer.from('x'))).toThrow(refused);
    expect(troubles).toMatchObject([{ code: 'spool-full' }, { code: 'spool-full' }]);
    for (const message of [first, second, ...others]) await message.abort(new PeerGone());
    const next = from('192.0.2.3');
    await next.write(Buffer.from(LARGE));
    await next.abort(new PeerGone());
    expect((await left())[0]).toEqual([]);
  });

  it.each([
    ['ENOSPC', 'spool-full'],
    ['EDQUOT', 'spool-full'],
    ['EMFILE', 'spool-full'],
    ['EACCES', 'spool-failed'],
    ['EIO', 'spool-failed'],
  ])('reports a full disk: %s', async (code, expected) => {
    const failure = Object.assign(new Error(code), { code });
    for (const step of ['open', 'unlink', 'write', 'read'] as const) {
      const closed: string[] = [];
      const content = new SpooledContent(
        new Spool({ directory: tmpdir(), shares: new Shares(1e9, 1e9), files: failing(step, failure, closed) }),
        [],
      );
      const used = (async () => {
        await content.append(Buffer.from(LARGE));
        for await (const _ of content.read());
      })();
      await expect(used).rejects.toMatchObject({ code: expected, cause: { code } });
      await content.close();
      await content.close();
      expect(closed).toEqual(step === 'open' ? [] : ['closed']);
    }
  });

  it('reports its errors, which are a 451 or 452 for the client', async () => {
    const spoolDirectory = join(mkdtempSync(join(tmpdir(), 'spool-')), 'missing');
    const { delivery, troubles } = scripted([], { spoolDirectory });
    const written = delivery.openMessage(envelope([ann])).write(Buffer.from(LARGE));
    await expect(written).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.3.0' } });
    expect(troubles).toMatchObject([{ code: 'spool-failed', cause: { code: 'ENOENT' } }]);
  });

  it('returns the octets unchanged, for any chunks', async () => {
    const sizes = fc.array(fc.oneof(fc.nat(40), fc.nat(70_000)), { maxLength: 12 });
    await fc.assert(
      fc.asyncProperty(sizes, async (lengths) => {
        const shares = new Shares(1e9, 1e9);
        const content = new SpooledContent(new Spool({ directory: tmpdir(), shares }), ['a']);
        const chunks = lengths.map((length, at) => Buffer.alloc(length, at + 1));
        for (const chunk of chunks) {
          const copy = Buffer.from(chunk);
          await content.append(copy);
          copy.fill(0);
        }
        const whole = Buffer.concat(chunks);
        for (let time = 0; time < 2; time++) {
          const pieces: Buffer[] = [];
          for await (const piece of content.read()) pieces.push(Buffer.from(piece));
          expect(Buffer.concat(pieces).equals(whole)).toBe(true);
        }
        expect([content.octets, shares.taken]).toEqual([whole.length, whole.length]);
        await content.close();
        expect(shares.taken).toBe(0);
      }),
      { numRuns: runs(50) },
    );
  });
});

/** Files of which one operation fails. */
function failing(step: keyof SpoolFiles | keyof SpoolFile, failure: Error, closed: string[]): SpoolFiles {
  const fail = (): Promise<never> => Promise.reject(failure);
  return {
    unlink: step === 'unlink' ? (path) => unlink(path).then(fail) : unlink,
    open: async (path, flags, mode) => {
      if (step === 'open') throw failure;
      const file = await open(path, flags, mode);
      const close = async () => {
        closed.push('closed');
        await file.close();
      };
      return {
        close,
        read: step === 'read' ? fail : file.read.bind(file),
        write: step === 'write' ? fail : file.write.bind(file),
      } as SpoolFile;
    },
  };
}
