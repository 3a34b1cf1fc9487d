import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { TemporaryFailure } from '@postern/cred';
import { FakeClock } from '@postern/testing';
import { afterAll, expect, test } from 'vitest';
import { WorkerThreads } from '../../../packages/users/src/hashing/worker-threads.ts';
import { run } from '../../support/program.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';

const password = Buffer.from('secret');
const folder = temporaryFolder('threads');
afterAll(() => folder[Symbol.dispose]());

/** Replies with the id of its thread, or fails in the way that the setting names. */
const program = pathToFileURL(join(folder.path, 'program.mjs'));
writeFileSync(
  program,
  `import { parentPort, threadId } from 'node:worker_threads';
   parentPort.on('message', ({ setting }) => {
     if (setting === 'exit') process.exit(3);
     if (setting === 'throw') throw new Error('broken');
     while (setting === 'endless');
     parentPort.postMessage(String(threadId));
   });`,
);

function setUp({ threads = 1, file = program } = {}) {
  const clock = new FakeClock();
  const pool = new WorkerThreads({ threads, clock, file, jobTimeout: 30_000, idleTimeout: 60_000 });
  return { clock, pool, [Symbol.asyncDispose]: () => pool.close() };
}

test('a thread computes one hash after another', async () => {
  await using setup = setUp();
  const { pool } = setup;
  const [first, second] = await Promise.all([pool.crypt(password, 'a'), pool.bcrypt(password, 'b')]);
  expect(second).toBe(first);
  expect(await pool.crypt(password, 'c')).toBe(first);
});

test('jobs at the same time have a thread each, up to the number of threads', async () => {
  await using setup = setUp({ threads: 2 });
  const { pool } = setup;
  const ids = await Promise.all(['a', 'b', 'c', 'd'].map((setting) => pool.crypt(password, setting)));
  expect(new Set(ids).size).toBe(2);
});

test('a thread ends after a minute without work, and the next job starts another', async () => {
  await using setup = setUp();
  const { clock, pool } = setup;
  const first = await pool.crypt(password, 'a');
  await clock.advance(59_999);
  expect(await pool.crypt(password, 'b')).toBe(first);
  await clock.advance(60_000);
  expect(clock.pending).toBe(0);
  expect(await pool.crypt(password, 'c')).not.toBe(first);
});

test('a thread that computes too long is replaced', async () => {
  await using setup = setUp();
  const { clock, pool } = setup;
  const first = await pool.crypt(password, 'a');
  const late = expect(pool.bcrypt(password, 'endless')).rejects.toThrow(
    'a stored bcrypt hash takes more than 30000 ms',
  );
  const next = pool.crypt(password, 'b');
  await clock.advance(30_000);
  await late;
  expect(await next).not.toBe(first);
});

test.each([
  ['exit', { message: 'a hash thread ended with code 3' }],
  ['throw', { message: 'a hash thread failed', cause: expect.objectContaining({ message: 'broken' }) }],
])('a thread that dies (%s) fails its hash and is replaced', async (setting, error) => {
  await using setup = setUp();
  const { pool } = setup;
  const failing = pool.crypt(password, setting);
  const next = pool.crypt(password, 'a');
  await expect(failing).rejects.toThrow(TemporaryFailure);
  await expect(failing).rejects.toMatchObject(error);
  expect(await next).toMatch(/^\d+$/);
});

test('a program that is missing fails each hash, and says why', async () => {
  await using setup = setUp({ file: pathToFileURL(join(folder.path, 'missing.mjs')) });
  const { pool } = setup;
  for (const setting of ['a', 'b']) {
    await expect(pool.crypt(password, setting)).rejects.toMatchObject({
      code: 'temporary',
      message: expect.stringMatching(/^\/\S+\/missing\.mjs is missing, so no bcrypt, .* leave @postern\/users out/),
      cause: expect.objectContaining({ message: expect.stringMatching(/missing\.mjs/) }),
    });
  }
});

test('closing rejects the hash that is computed, those that wait and later ones', async () => {
  await using setup = setUp();
  const { clock, pool } = setup;
  const jobs = ['endless', 'a', 'b'].map((setting) => pool.crypt(password, setting));
  const rejected = Promise.all(jobs.map((job) => expect(job).rejects.toThrow('the hash queue is closed')));
  await pool.close();
  await rejected;
  await expect(pool.crypt(password, 'c')).rejects.toThrow('the hash queue is closed');
  expect(clock.pending).toBe(0);
});

test.each(['$6$rounds=10$abc$', '$2b$04$too-short', '$9$'])('a thread refuses %s without its text', async (setting) => {
  const pool = new WorkerThreads({ threads: 1, clock: new FakeClock() });
  const refused = setting.startsWith('$2') ? pool.bcrypt(password, setting) : pool.crypt(password, setting);
  await expect(refused).rejects.toMatchObject({
    message: expect.stringMatching(/^a stored (crypt|bcrypt) hash is malformed$/),
  });
  await pool.close();
});

test('the built package computes in threads, and idle threads let the process end', async () => {
  const script = `
    import { HashQueue } from '@postern/users';
    const queue = new HashQueue();
    const hash = await queue.run({ place: 'thread', memory: 0 }, ({ crypt }) => crypt(Buffer.from('secret'), '$1$abc'));
    console.log(hash);`;
  const args = ['--input-type=module', '--eval', script];
  expect(await run(process.execPath, args)).toEqual({ code: 0, output: '$1$abc$iCQ2D3nhptRYi27fDYv2s1\n' });
});
