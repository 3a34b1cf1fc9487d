import { ScramSecret } from '@postern/sasl';
import type { UserRecord } from '@postern/users';
import { iterations, salt, serverKey, storedKey, username } from './account.ts';

/**
 * Yields users with the names that the load generator takes: `joe0000000`, `joe0000001`, … The
 * first one is the user whose password the flood of wrong logins guesses. All have one password, so
 * that the load generator needs one pair of keys.
 */
export function* userRecords(count: number): Generator<UserRecord> {
  const scram = new ScramSecret({ hash: 'sha256', salt, iterations, storedKey, serverKey }).format('postgresql');
  const secrets = [ARGON2ID, scram];
  yield { name: 'good', secrets };
  for (let index = 0; index < count; index++) {
    yield { name: `${username}${String(index).padStart(7, '0')}`, secrets };
  }
}

/** The hash of the one password with the parameters of the default policy. */
const ARGON2ID = '$argon2id$v=19$m=19456,t=2,p=1$1Sh50mKyzjFBIO00miQmcA$rOiqt0zfOnOLlpcjmq0uW91RQlQjuvZYo2fZ6K4vZcA';
