import { LoginError } from '@postern/cred';
import { type ExchangeError, MalformedResponse } from '@postern/sasl';
import { type LoginRefusal, loginRefusalOf } from '@postern/sasl-profile';
import { MINOR_WITH_CODES } from './protocol/handshake.ts';

/** How a failed login is answered. */
export interface LoginFailure {
  /**
   * `FAIL`, with its code if there is one; `close` for a connection that closes, because the client
   * knows no other sign of a temporary failure.
   */
  readonly reply: string;
  readonly closes: boolean;
  /** True if the answer waits for `loginFailureDelay`: the client may have guessed a password. */
  readonly isDelayed: boolean;
}

/** Returns the answer to a failed login for a client with this minor version. */
export function answerTo(error: LoginError | ExchangeError, minor: number): LoginFailure {
  const refusal = loginRefusalOf(error);
  const isTemporary = TEMPORARY.has(refusal) || (error instanceof LoginError && error.culprit !== 'client');
  const closes = isTemporary && minor < MINOR_WITH_CODES;
  const code = isTemporary ? 'temp_fail' : codeOf(error, refusal);
  const reply = code === undefined || minor < MINOR_WITH_CODES ? FAIL : `${FAIL} code=${code}`;
  return { reply: closes ? CLOSE : reply, closes, isDelayed: DELAYED.has(refusal) };
}

/** The state of an account has no code: a client that guesses passwords would learn it. */
function codeOf(error: Error, refusal: LoginRefusal): string | undefined {
  if (error instanceof MalformedResponse) return error.malformation === 'encoding' ? 'invalid_base64' : undefined;
  return refusal === 'transition-needed' ? 'pass_expired' : undefined;
}

/** The reply without a code. */
const FAIL = 'FAIL';
/** Stands for the connection that closes in place of a reply. */
const CLOSE = 'close';

/** Postfix answers 535 to each FAIL, which makes a user change the right password. */
const TEMPORARY: ReadonlySet<LoginRefusal> = new Set<LoginRefusal>(['deferred', 'throttled', 'in-use', 'no-avatar']);
/** The refusals that judge credentials: wrong ones and denied ones. */
const DELAYED: ReadonlySet<LoginRefusal> = new Set<LoginRefusal>([
  'failed',
  'throttled',
  'mechanism-too-weak',
  'transition-needed',
]);
