import { TemporaryFailure } from '@postern/cred';
import { HashQueue, type HashThreads, type PasswordHash } from '@postern/users';
import { afterEach, expect, test, vi } from 'vitest';

const pool = { place: 'pool', memory: 2 ** 20 } as const;

afterEach(() => void vi.unstubAllEnvs());

/** A hash that equals one password, and the buffers that it has been compared with. */
function hashOf(right: string): { hash: PasswordHash; buffers: Buffer[] } {
  const buffers: Buffer[] = [];
  const compare = (password: Buffer): boolean => {
    buffers.push(password);
    return password.toString() === right;
  };
  return { hash: { kind: 'hash', scheme: 'test', work: pool, compare }, buffers };
}

test('a password is compared in memory of its own, which is cleared', async () => {
  await using queue = new HashQueue();
  const { hash, buffers } = hashOf('naïve');
  expect(await queue.verify(hash, 'naïve')).toBe(true);
  expect(await queue.verify(hash, 'other')).toBe(false);
  expect(buffers).toEqual([Buffer.alloc(6), Buffer.alloc(5)]);
  expect(buffers.map(({ buffer }) => buffer.byteLength)).toEqual([6, 5]);
});

test('the password is cleared also when the comparison fails', async () => {
  await using queue = new HashQueue();
  const { hash, buffers } = hashOf('secret');
  const compare = async (password: Buffer): Promise<boolean> => {
    buffers.push(password);
    throw new Error('no such scheme');
  };
  await expect(queue.verify({ ...hash, compare }, 'secret')).rejects.toThrow('no such scheme');
  expect(buffers).toEqual([Buffer.alloc(6)]);
});

test.each(['', 'a\0b', 'x'.repeat(4097), '\ud800'])('%j is the password of no hash', async (password) => {
  await using queue = new HashQueue();
  const { hash, buffers } = hashOf(password);
  expect(await queue.verify(hash, password)).toBe(false);
  expect(buffers).toEqual([]);
});

test('a password of 4,096 octets is compared', async () => {
  await using queue = new HashQueue();
  const { hash } = hashOf('ü'.repeat(2048));
  expect(await queue.verify(hash, 'ü'.repeat(2048))).toBe(true);
});

test.each([
  [undefined, 2],
  ['8', 6],
  ['2', 1],
  ['0', 1],
  ['junk', 1],
  ['4096', 1022],
  ['-1', 1022],
])('with UV_THREADPOOL_SIZE=%s at most %d hashes run on the pool', (size, most) => {
  vi.stubEnv('UV_THREADPOOL_SIZE', size);
  expect(new HashQueue({ poolSlots: most })).toBeInstanceOf(HashQueue);
  expect(() => new HashQueue({ poolSlots: most + 1 })).toThrow(
    new RegExp(`poolSlots must be at most ${most}, not ${most + 1}: libuv's pool has \\d+ threads, and DNS`),
  );
});

test.each([{ memory: 0 }, { threads: 1.5 }, { timeout: 2 ** 31 }, { maxWaiting: -1 }, { poolSlots: Number.NaN }])(
  '%j is out of range',
  (options) => {
    expect(() => new HashQueue(options)).toThrow(RangeError);
  },
);

test('hashes in JavaScript run in threads', async () => {
  await using queue = new HashQueue({ threads: 1 });
  const thread = { place: 'thread', memory: 0 } as const;
  const secret = Buffer.from('secret');
  const hashes = await Promise.all([
    queue.run(thread, ({ bcrypt }) => bcrypt(secret, '$2y$04$abcdefghijklmnopqrstuu')),
    queue.run(thread, ({ crypt }) => crypt(secret, '$6$rounds=5000$abcdefgh')),
    queue.run(thread, ({ crypt }) => crypt(secret, '$5$abcdefgh$')),
    queue.run(thread, ({ crypt }) => crypt(secret, '$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/')),
    queue.run(thread, ({ crypt }) => crypt(secret, '$1$abcdefgh')),
  ]);
  // mkpasswd 5.5.17, OpenSSL 3.0
  expect(hashes).toEqual([
    '$2y$04$abcdefghijklmnopqrstuu2r9OfJnfCsdneAXAGHnS4UpFFP8WIrW',
    '$6$rounds=5000$abcdefgh$ltjgWl6579NluT/Vi1nwEvcil.G5Nbc4NiXZaNGStk8PSwGfQv72N2CKPPrVACtLtip/cZ/1GM/O6IND4WQhG.',
    '$5$abcdefgh$gruCpC7VkOTspMQTTSAR8mtlO9Upms.fwqE5y16JVM.',
    '$apr1$abcdefgh$h9FWgUz3n9YxylKLlR5SQ/',
    '$1$abcdefgh$cHJi5PXp/ki/ktXzqlk6I1',
  ]);
  expect(secret.toString()).toBe('secret');
});

test('SHA-crypt and MD5-crypt take passwords of at most 511 octets, as libxcrypt does', async () => {
  await using queue = new HashQueue();
  const hash = (length: number, setting: string): Promise<string> =>
    queue.run({ place: 'thread', memory: 0 }, ({ crypt }) => crypt(Buffer.alloc(length, 'x'), setting));
  // libxcrypt 4.4.33
  expect(await hash(511, '$6$abc$')).toBe(
    '$6$abc$ih9MLXzdBdejhxiNARhJC1fLdFQzFfgdxxbuoTIgOIAv21s5ek4cUlGdNonKnOhCL2roZzZOzcCtbkFyZLp651',
  );
  for (const setting of ['$6$abc$', '$5$abc$', '$1$abc$']) expect(await hash(512, setting)).toBe('*0');
});

test('a closed queue ends the hash of a thread and refuses later ones', async () => {
  const queue = new HashQueue();
  const endless = ({ crypt }: HashThreads): Promise<string> =>
    crypt(Buffer.from('secret'), '$6$rounds=999999999$abcdefgh');
  const running = queue.run({ place: 'thread', memory: 0 }, endless);
  const ended = expect(running).rejects.toThrow(TemporaryFailure);
  await queue.close();
  await ended;
  await expect(queue.verify(hashOf('secret').hash, 'secret')).rejects.toThrow('the hash queue is closed');
  await queue.close();
});
