import type { CacheOptions, HashQueue, HashQueueOptions, PasswordPolicy } from '@postern/users';
import { UsageError } from './errors.ts';

/** The option `users`: the parameters of all user stores. */
export interface UsersOptions extends Partial<PasswordPolicy> {
  /**
   * True accepts weak schemes in user stores, such as MD5 and DES hashes, which `postern user
   * import --allow-weak` takes. The next login replaces the hash. Default: false.
   */
  readonly allowWeak?: boolean;
  /** The limits of the queue that computes the hashes of this process. */
  readonly queue?: Omit<HashQueueOptions, 'clock'>;
  /** Keeps the answers of each user store for some seconds. Default: no cache. */
  readonly cache?: Omit<CacheOptions, 'clock'>;
}

/** Returns the parts of the password policy that the option sets. */
export function policyOf({ argon2id, scram }: UsersOptions): Partial<PasswordPolicy> {
  return { ...(argon2id !== undefined && { argon2id }), ...(scram !== undefined && { scram }) };
}

/**
 * Resolves to a queue with the limits of the option.
 *
 * @throws UsageError for a limit out of range.
 */
export async function openHashQueue({ queue }: UsersOptions): Promise<HashQueue> {
  const { HashQueue } = await import('@postern/users');
  try {
    return new HashQueue(queue);
  } catch (error) {
    throw usersError(error);
  }
}

/** Returns a RangeError as an error in the option. Returns any other error as it is. */
export function usersError(error: unknown): unknown {
  return error instanceof RangeError ? new UsageError(`users: ${error.message}`, { cause: error }) : error;
}
