import { type Checker, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { type FailureCounts, withThrottle } from '@postern/throttle';
import { canonicalName } from '@postern/users';
import { expect, it } from 'vitest';
import { HERE } from './support.ts';

it('counts all spellings that a user store takes for one user under one key', async () => {
  const keys = new Set<string>();
  const counts: FailureCounts = { get: () => 0, add: (key) => void keys.add(key), reset() {} };
  const checker: Checker<UsernamePassword> = {
    credentialInterfaces: [UsernamePassword],
    requestAvatarId: () => Promise.reject(new UnauthorizedLogin()),
  };
  const throttle = withThrottle(checker, { counts });
  const several: string[] = [];
  for (const [canonical, names] of spellingsByUser()) {
    keys.clear();
    for (const name of names) {
      await Promise.resolve(throttle.requestAvatarId(new UsernamePassword(name, 'guess'), HERE)).catch(() => {});
    }
    if ([...keys].filter((key) => key.startsWith('user:')).length !== 1) several.push(canonical);
  }
  expect(several).toEqual([]);
});

/**
 * Returns the names with one character of the alphabets between two letters, by the user that a
 * store finds.
 */
function spellingsByUser(): Map<string, string[]> {
  const spellings = new Map<string, string[]>();
  for (let codePoint = 0x20; codePoint < 0x3400; codePoint += 1) {
    const name = `a${String.fromCodePoint(codePoint)}b`;
    const canonical = canonicalName(name);
    if (canonical === undefined) continue;
    const names = spellings.get(canonical);
    if (names === undefined) spellings.set(canonical, [name]);
    else names.push(name);
  }
  return new Map([...spellings].filter(([, names]) => names.length > 1));
}
