import { isPromise, type MaybePromise } from '@postern/core';
import type { Challenger } from '@postern/sasl';
import type { FramingOptions } from '../base64-framing.ts';
import { type LoginRefusal, loginRefusalOf } from '../login-refusal.ts';
import type { ClientSession, FailedLogin, SessionLogin } from './client-session.ts';
import { Refusal } from './refusal.ts';

/** A command that logs in, such as AUTH. */
export interface AuthCommand<A extends object, V extends string>
  extends Omit<FramingOptions, 'maxResponse'>,
    Pick<SessionLogin<A, V, string>, 'begin' | 'verb'> {
  /**
   * The name of the mechanism that the client chose; or a challenger, such as that of
   * `readyChallenger`, for a command that is no mechanism.
   */
  readonly mechanism: string | Challenger;
  /** The initial response in base64 as the client sent it, `=` included. Undefined: absent. */
  readonly initialResponse?: string | undefined;
  /** Returns the reply to a refused login, without its last CRLF. */
  readonly replyFor: (refusal: LoginRefusal) => string;
}

/**
 * Logs the client in, in a protocol of `serveSession`. Returns once the client is logged in:
 * synchronously if nothing had to be waited for.
 *
 * @throws Refusal, or rejects with it, for a client that is not logged in. Only a malformed or
 * cancelled exchange and a mechanism without an offer count towards `maxErrors`.
 */
export function runAuth<A extends object, V extends string>(
  session: ClientSession<A, V, string>,
  { mechanism, replyFor, initialResponse, ...command }: AuthCommand<A, V>,
): MaybePromise<void> {
  const challenger =
    typeof mechanism === 'string' ? session.chooseMechanism(mechanism) : (session.obstacleTo(mechanism) ?? mechanism);
  if (typeof challenger === 'string') throw new Refusal(replyFor(challenger));
  const failed = session.logIn({
    ...command,
    challenger,
    initialResponse,
    replyFor: (error) => replyFor(loginRefusalOf(error)),
    tooManyFailures: replyFor('too-many-failures'),
  });
  if (isPromise(failed)) return failed.then((later) => throwRefusal(later, session));
  throwRefusal(failed, session);
}

function throwRefusal(
  failed: FailedLogin<string> | undefined,
  { closeReason }: Pick<ClientSession<object, string, string>, 'closeReason'>,
): void {
  if (failed === undefined) return;
  const { error, reply } = failed;
  throw new Refusal(reply, {
    closes: closeReason !== undefined,
    counts: COUNTED.has(loginRefusalOf(error)),
    isReported: error.culprit === 'client',
  });
}

/**
 * The refusals of a client that does not speak the protocol. Failed logins have a count of their
 * own.
 */
const COUNTED: ReadonlySet<LoginRefusal> = new Set<LoginRefusal>([
  'cancelled',
  'malformed',
  'not-offered',
  'too-long',
  'unexpected-initial-response',
]);
