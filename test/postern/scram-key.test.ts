import { chmodSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
import { ScramSha256Credentials } from '@postern/sasl';
import { describe, expect, it } from 'vitest';
import { StartError, UsageError } from '../../packages/postern/src/errors.ts';
import { expectScramKey, loadScramKey } from '../../packages/postern/src/scram-key.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('the server key of SCRAM', () => {
  it('is created once, readable by its owner only, and then read', async () => {
    using folder = temporaryFolder('scram-key');
    const file = join(folder.path, 'scram.key');
    const made = await loadScramKey(file);
    expect(made).toHaveLength(32);
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(await loadScramKey(file)).toEqual(made);
    expect(readdirSync(folder.path)).toEqual(['scram.key']);
  });

  it('is the same for processes that start at the same time', async () => {
    using folder = temporaryFolder('scram-key');
    const file = join(folder.path, 'scram.key');
    const keys = await Promise.all(Array.from({ length: 5 }, () => loadScramKey(file)));
    expect(new Set(keys.map((key) => Buffer.from(key).toString('hex'))).size).toBe(1);
  });

  it.each([
    ['others can read', (file: string) => chmodSync(file, 0o640), 'expected mode 0600'],
    ['is short', (file: string) => writeFileSync(file, 'AAAA'), 'expected 32 octets or more in base64'],
  ])('that %s fails the start and keeps the file unchanged', async (_what, spoil, message) => {
    using folder = temporaryFolder('scram-key');
    const file = join(folder.path, 'scram.key');
    await loadScramKey(file);
    spoil(file);
    const before = readFileSync(file, 'utf8');
    await expect(loadScramKey(file)).rejects.toThrow(StartError);
    await expect(loadScramKey(file)).rejects.toThrow(message);
    expect(readFileSync(file, 'utf8')).toBe(before);
  });

  it('in a missing folder is an error that names the file', async () => {
    await expect(loadScramKey('/nowhere/at/all/scram.key')).rejects.toThrow('--scram-key /nowhere/at/all/scram.key: ');
  });

  it('is required only if a checker has stored secrets', () => {
    const stored = { credentialInterfaces: [ScramSha256Credentials], requestAvatarId: () => 'joe' };
    const clear = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });
    expect(() => expectScramKey([clear, stored], false)).toThrow(UsageError);
    expect(() => expectScramKey([clear, stored], false)).toThrow('--scram-key FILE');
    expectScramKey([clear, stored], true);
    expectScramKey([clear], false);
  });
});
