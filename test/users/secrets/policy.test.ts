import { ScramSecret } from '@postern/sasl';
import {
  defaultPolicy,
  HashQueue,
  hashPassword,
  needsRehash,
  type PasswordPolicy,
  parseSecret,
  rehashedSecrets,
} from '@postern/users';
import { describe, expect, it } from 'vitest';
import { threadsFor } from './threads.ts';

/** Runs each task at once. */
const queue: Pick<HashQueue, 'run'> = { run: async (_work, task) => task(threadsFor('')) };

const cheap: PasswordPolicy = {
  argon2id: { memory: 64, passes: 2, parallelism: 1 },
  scram: [{ hash: 'sha256', iterations: 4096 }],
};

const SALT = 'c2FsdHNhbHRzYWx0c2E';
const HASH = 'aGFzaGhhc2hoYXNoaGFzaA';
const CRAM = `{CRAM-MD5}${'ab'.repeat(32)}`;
const DIGEST = `{DIGEST-MD5}${'ab'.repeat(16)}`;
const SSHA = '{SSHA}WAcFnvy/tx3k/YzAmliYv2Z8D3yuYast';

describe('hashPassword', () => {
  it('stores argon2id with the parameters of the policy, in the order m, t, p', async () => {
    const [argon2id] = await hashPassword('pencil', { queue, policy: { ...cheap, scram: [] } });
    expect(argon2id).toMatch(/^\$argon2id\$v=19\$m=64,t=2,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
  });

  it('stores SCRAM-SHA-256 in the form of PostgreSQL', async () => {
    const [, scram] = await hashPassword('pencil', { queue, policy: cheap });
    expect(scram).toMatch(/^SCRAM-SHA-256\$4096:[A-Za-z0-9+/=]{24}\$[A-Za-z0-9+/=]{44}:[A-Za-z0-9+/=]{44}$/);
  });

  it('has 19 MiB, two passes and 60,000 iterations by default', async () => {
    const texts = await hashPassword('pencil', { queue });
    expect(texts.map((text) => text.slice(0, 31))).toEqual([
      '$argon2id$v=19$m=19456,t=2,p=1$',
      expect.stringMatching(/^SCRAM-SHA-256\$60000:/),
    ]);
  });

  it('states the memory of argon2id to the queue', async () => {
    const works: unknown[] = [];
    await hashPassword('pencil', {
      policy: cheap,
      queue: {
        run: async (work, task) => {
          works.push(work);
          return task(threadsFor(''));
        },
      },
    });
    expect(works).toEqual([
      { place: 'pool', memory: 65_536 },
      { place: 'pool', memory: 0 },
    ]);
  });

  it.each([
    ['ASCII', 'pencil', 'pencil'],
    ['what SASLprep maps', 'I\u00adX', 'IX'],
    ['what SASLprep refuses', '\u{1f130}', '\u{1f130}'],
  ])('stores forms that accept %s', async (_what, password, accepted) => {
    const secrets = (await hashPassword(password, { queue, policy: cheap })).map((text) => parseSecret(text));
    for (const secret of secrets) {
      if (secret.kind === 'hash') expect(await secret.compare(Buffer.from(accepted), threadsFor(''))).toBe(true);
      else if (secret.kind === 'scram') expect(await secret.secret.verifyPassword(accepted)).toBe(true);
      else throw new Error(secret.kind);
    }
    expect(secrets.map(({ kind }) => kind)).toEqual(['hash', 'scram']);
  });

  it('has a new salt each time', async () => {
    const [first, second] = [
      await hashPassword('pencil', { queue, policy: cheap }),
      await hashPassword('pencil', { queue, policy: cheap }),
    ];
    expect(new Set([...first, ...second]).size).toBe(4);
  });

  it.each(['', 'a\0b', 'a\ud800', 'a'.repeat(4097)])('refuses %j', async (password) => {
    await expect(hashPassword(password, { queue, policy: cheap })).rejects.toThrow(TypeError);
  });

  it.each([
    { ...cheap, argon2id: { memory: 7, passes: 1, parallelism: 1 } },
    { ...cheap, argon2id: { memory: 64, passes: 0, parallelism: 1 } },
    { ...cheap, argon2id: { memory: 64, passes: 1.5, parallelism: 1 } },
    { ...cheap, argon2id: { memory: 64, passes: 1, parallelism: 9 } },
    { ...cheap, argon2id: { memory: 2 ** 21, passes: 1, parallelism: 1 } },
    { ...cheap, scram: [{ hash: 'sha256', iterations: 4095 }] },
  ] satisfies PasswordPolicy[])('refuses the policy %j', async (policy) => {
    await expect(hashPassword('pencil', { queue, policy })).rejects.toThrow(RangeError);
  });

  it('runs in a HashQueue', async () => {
    await using real = new HashQueue();
    const [argon2id = ''] = await hashPassword('pencil', { queue: real, policy: cheap });
    const secret = parseSecret(argon2id);
    if (secret.kind !== 'hash') throw new Error(secret.kind);
    expect(await real.verify(secret, 'pencil')).toBe(true);
    expect(await real.verify(secret, 'pencils')).toBe(false);
  });
});

describe('needsRehash', async () => {
  const argon2 = (parameters: string, type = 'argon2id', version = 'v=19$') =>
    `$${type}$${version}${parameters}$${SALT}$${HASH}`;
  const strong = argon2('m=19456,t=2,p=1');
  const scram = await record(60_000);

  it.each([
    ['what hashPassword stores', [strong, scram]],
    ['more memory', [argon2('m=65536,t=3,p=4'), scram]],
    ['more memory in one pass', [argon2('m=47104,t=1,p=1'), scram]],
    ['more iterations', [strong, await record(65_536)]],
    ['a key of CRAM-MD5 beside them', [strong, scram, CRAM]],
    ['a SCRAM record of another hash beside them', [strong, scram, await record(4096, 'sha1')]],
    ['a prefix of Dovecot', [`{ARGON2ID}${strong}`, scram]],
    ['a record of Dovecot', [strong, (await derive(60_000)).format('dovecot')]],
    ['clear text', ['{PLAIN}pencil']],
    ['clear text beside an old hash', ['{PLAIN}pencil', SSHA]],
    ['no secret', []],
    ['a locked field', ['!']],
  ])('is false for %s', (_what, secrets) => {
    expect(needsRehash(secrets)).toBe(false);
  });

  it.each([
    ['less memory', [argon2('m=19455,t=2,p=1'), scram]],
    ['fewer passes', [argon2('m=19456,t=1,p=1'), scram]],
    ['many passes over less memory', [argon2('m=4096,t=100,p=1'), scram]],
    ['argon2i', [argon2('m=65536,t=4,p=1', 'argon2i'), scram]],
    ['argon2d', [argon2('m=65536,t=4,p=1', 'argon2d'), scram]],
    ['argon2id behind the braces of argon2i, but weak', [`{ARGON2I}${argon2('m=4096,t=3,p=1')}`, scram]],
    ['version 16', [argon2('m=65536,t=4,p=1', 'argon2id', 'v=16$'), scram]],
    ['no version', [argon2('m=65536,t=4,p=1', 'argon2id', ''), scram]],
    ['no SCRAM record', [strong]],
    ['fewer iterations', [strong, await record(59_999)]],
    ['a SCRAM record of another hash', [strong, await record(60_000, 'sha512')]],
    ['no hash', [scram]],
    ['a key of CRAM-MD5 alone', [CRAM]],
    ['another scheme', [SSHA]],
    ['another scheme beside the new forms', [strong, scram, SSHA]],
    ['a weak scheme', ['{PLAIN-MD5}098f6bcd4621d373cade4e832627b4f6']],
    ['a hash that needs libcrypt', ['$y$j9T$JFU9HmHHr4cbUbtJFFH8u/$m2eCrjhKg9JIVlRN/KjA9r7fKJNmQuRVjOjoI.QuS.5']],
  ])('is true for %s', (_what, secrets) => {
    expect(needsRehash(secrets)).toBe(true);
  });

  it.each([
    ['bcrypt', '$2b$12$Om3KCAoKFsyLMOH26n1KYuY.zuZF1xWxnsxVnZBmMCvZtAR5lnPt2', 72],
    ['DES', '{CRYPT}mzPPv.7sAeIRc', 8],
    ['bigcrypt', '{CRYPT}mzPPv.7sAeIRcPv.7sAeIRcA', 128],
    ['a truncated password', '{PLAIN-TRUNC}4-test', 4],
  ])('is false for %s and a password that the hash depends on in part', (_what, text, octets) => {
    expect(needsRehash([text], defaultPolicy, 'a'.repeat(octets))).toBe(true);
    expect(needsRehash([text], defaultPolicy, 'a'.repeat(octets + 1))).toBe(false);
    expect(needsRehash([text], defaultPolicy, '\u00e4'.repeat(octets / 2 + 1))).toBe(false);
    expect(needsRehash([strong, text], defaultPolicy, 'a'.repeat(octets + 1))).toBe(false);
  });

  it('needs each SCRAM record of the policy, and no other', async () => {
    const both = { ...defaultPolicy, scram: [...defaultPolicy.scram, { hash: 'sha512', iterations: 4096 } as const] };
    expect(needsRehash([strong, scram], both)).toBe(true);
    expect(needsRehash([strong, scram, await record(4096, 'sha512')], both)).toBe(false);
    expect(needsRehash([strong], { ...defaultPolicy, scram: [] })).toBe(false);
  });

  it('is false for what hashPassword has just stored', async () => {
    expect(needsRehash(await hashPassword('pencil', { queue, policy: cheap }), cheap)).toBe(false);
  });
});

describe('rehashedSecrets', () => {
  it('replaces hashes and weaker SCRAM records, and keeps keys that have no new form', async () => {
    const fresh = ['$argon2id$', await record(8192)];
    const sha1 = await record(4096, 'sha1');
    expect(rehashedSecrets([SSHA, await record(4096), CRAM, DIGEST, sha1, '$y$j9T$a$b'], fresh)).toEqual([
      ...fresh,
      CRAM,
      DIGEST,
      sha1,
    ]);
  });

  it('keeps a SCRAM record that has more iterations than the new one', async () => {
    const stored = await record(16_384);
    expect(rehashedSecrets([SSHA, stored], ['$argon2id$', await record(8192)])).toEqual(['$argon2id$', stored]);
  });

  it('needs no further rehash', async () => {
    const fresh = await hashPassword('pencil', { queue, policy: cheap });
    expect(needsRehash(rehashedSecrets([SSHA, CRAM, await record(16_384)], fresh), cheap)).toBe(false);
  });
});

function derive(iterations: number, hash: 'sha1' | 'sha256' | 'sha512' = 'sha256') {
  return ScramSecret.derive('pencil', { hash, iterations });
}

async function record(iterations: number, hash?: 'sha1' | 'sha256' | 'sha512') {
  return (await derive(iterations, hash)).format('postgresql');
}
