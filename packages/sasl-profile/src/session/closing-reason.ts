import { Closing, Displaced, PeerGone, TimedOut } from '@postern/conversation';
import type { LogoutReason } from '@postern/cred';
import { HostnameFailed } from './hostname.ts';

/**
 * Why a server closes a connection with a last reply.
 *
 * - `foreign-protocol`: the client sends TLS to a port without TLS, or a request of HTTP.
 * - `too-many-errors`: the client has reached `maxErrors`.
 * - `too-many-commands`: the client has exceeded `maxJunkCommands`.
 * - `timeout`: the client is silent or without a login for too long.
 * - `displaced`: the connection makes room for another one.
 * - `shutdown`: the server stops.
 * - `misconfigured`: an option of the operator has failed.
 * - `failed`: this server has failed.
 */
export type ClosingReason =
  | 'foreign-protocol'
  | 'too-many-errors'
  | 'too-many-commands'
  | 'timeout'
  | 'displaced'
  | 'shutdown'
  | 'misconfigured'
  | 'failed';

/**
 * Returns why a server closes the connection after this error; undefined if the client has
 * disconnected and hears no reply.
 */
export function closingReasonOf(error: unknown): ClosingReason | undefined {
  if (error instanceof PeerGone) return undefined;
  if (error instanceof TimedOut) return 'timeout';
  if (error instanceof Displaced) return 'displaced';
  if (error instanceof Closing) return 'shutdown';
  return error instanceof HostnameFailed ? 'misconfigured' : 'failed';
}

/** Returns the reason of the logout after an error that has ended the conversation. */
export function logoutReasonOf(error: unknown): LogoutReason {
  if (error instanceof TimedOut) return 'timeout';
  return error instanceof Closing ? 'shutdown' : 'disconnected';
}
