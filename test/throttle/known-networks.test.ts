import { describe, expect, it } from 'vitest';
import { KnownNetworks } from '../../packages/throttle/src/known-networks.ts';

describe('KnownNetworks', () => {
  it('has the networks of the user’s logins', () => {
    const known = new KnownNetworks();
    known.add('joe', '192.0.2.1');
    expect([known.has('joe', '192.0.2.1'), known.has('joe', '192.0.2.2'), known.has('ann', '192.0.2.1')]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('keeps the latest networks of each user, and many networks of one user displace no other', () => {
    const known = new KnownNetworks({ maxNetworks: 2 });
    known.add('joe', '192.0.2.1');
    for (let n = 0; n < 1_000; n += 1) known.add('mallory', `10.0.0.${n}`);
    known.add('ann', 'a');
    known.add('ann', 'b');
    known.add('ann', 'a');
    known.add('ann', 'c');
    expect(known.has('joe', '192.0.2.1')).toBe(true);
    expect(['a', 'b', 'c'].map((network) => known.has('ann', network))).toEqual([true, false, true]);
  });

  it('keeps the networks of the latest users', () => {
    const known = new KnownNetworks({ maxUsers: 2 });
    for (const user of ['ann', 'ben', 'ann', 'joe']) known.add(user, 'a');
    expect(['ann', 'ben', 'joe'].map((user) => known.has(user, 'a'))).toEqual([true, false, true]);
  });
});
