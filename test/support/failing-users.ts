import { checker, PasswordProof, TemporaryFailure } from '@postern/cred';

/** The user whose back end is down. */
export const DOWN = 'down';
/** The user whose back end never answers. */
export const HUNG = 'hung';

/** A user database without users. The back ends of two names fail. */
export const failingUsers = checker([PasswordProof], ({ username }) => {
  if (username === DOWN) throw new TemporaryFailure('the back end is down');
  if (username === HUNG) return new Promise(() => {});
  return undefined;
});
