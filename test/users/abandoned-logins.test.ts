import { CascadingChecker, type Checker, LoginDenied, type PasswordProof, UsernamePassword } from '@postern/cred';
import { withThrottle } from '@postern/throttle';
import { HashQueue, hashPassword, InMemoryUserStore, UserChecker } from '@postern/users';
import { describe, expect, it } from 'vitest';
import { mindOf } from '../cred/support.ts';
import { CHEAP_POLICY, hashed } from './checker-support.ts';

/** A queue that calls `onBegin` when a hash begins. */
class ObservedQueue extends HashQueue {
  onBegin = (): void => {};

  override run: HashQueue['run'] = (work, task, signal) =>
    super.run(
      work,
      (threads) => {
        this.onBegin();
        return task(threads);
      },
      signal,
    );
}

async function setUp() {
  const queue = new ObservedQueue();
  const secrets = await hashPassword('s3cret', { queue, policy: CHEAP_POLICY });
  const joe = new UserChecker(new InMemoryUserStore([{ name: 'joe', secrets }]), { queue, policy: CHEAP_POLICY });
  const ann = new UserChecker(new InMemoryUserStore([{ name: 'ann', secrets: [hashed('s3cret')] }]), { queue });
  /** Sends a password, and disconnects as soon as its hash begins. */
  const leave = async (checker: Checker<PasswordProof>, password: string) => {
    const connection = new AbortController();
    queue.onBegin = () => connection.abort('the client disconnected');
    return checker.requestAvatarId(
      new UsernamePassword('joe', password, undefined, `${password}\u00ad`),
      mindOf({}, connection.signal),
    );
  };
  return { queue, joe, ann, leave };
}

describe('a client that disconnects while its hash is computed', () => {
  it.each(['a checker', 'a cascade', 'a cascade with a further checker'])(
    'is counted by a throttle around %s',
    async (kind) => {
      const { queue, joe, ann, leave } = await setUp();
      const checker = kind === 'a checker' ? joe : CascadingChecker.of(joe, ...(kind === 'a cascade' ? [] : [ann]));
      const failures = 3;
      const throttled = withThrottle(checker, { network: { failures, window: 60_000 } });
      for (let n = 0; n < failures; n += 1) {
        await expect(leave(throttled, `guess ${n}`)).rejects.not.toBeInstanceOf(LoginDenied);
      }
      await expect(leave(throttled, 's3cret')).rejects.toMatchObject({ reason: 'too-many' });
      await queue.close();
    },
  );

  it('is not counted with the right password', async () => {
    const { queue, joe, leave } = await setUp();
    const throttled = withThrottle(joe, { network: { failures: 1, window: 60_000 } });
    for (let n = 0; n < 3; n += 1) {
      const connection = new AbortController();
      queue.onBegin = () => connection.abort();
      const credentials = new UsernamePassword('joe', 's3cret');
      expect(await throttled.requestAvatarId(credentials, mindOf({}, connection.signal))).toBe('joe');
    }
    await expect(leave(throttled, 'guess')).rejects.toThrow('not right');
    await queue.close();
  });
});
