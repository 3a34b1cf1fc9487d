import { completeLimits, defaultSessionLimits, minimalSessionLimits, type SessionLimits } from '@postern/sasl-profile';

/** Bounds on what one client may use. Sizes are in octets, times in milliseconds. */
export interface Limits extends SessionLimits {
  /**
   * Octets of a command line without its CRLF; a longer line is 500. RFC 5321 §4.5.3.1.4 asks for
   * at least 510, RFC 3461 §5.4 for 1,034. Default: 2,048.
   */
  readonly maxCommandLine: number;
  /**
   * Octets of an authentication response or initial response without the CRLF; a longer one is 500
   * (RFC 4954 §4). Default: 12,288.
   */
  readonly maxExchangeLine: number;
  /**
   * Octets of a line of message text without its CRLF; a message with a longer line is 554. RFC
   * 5321 §4.5.3.1.6 asks for at least 998. Default: unlimited.
   */
  readonly maxTextLine: number;
  /**
   * Octets of a message without dot stuffing; a larger message is 552. With `newlines: 'normalize'`
   * the normalized octets count. EHLO advertises it as SIZE (RFC 1870). Default: 25 MiB.
   */
  readonly maxMessageSize: number;
  /**
   * Recipients of one message; one more is 452. EHLO advertises it in LIMITS (RFC 9422). RFC 5321
   * §4.5.3.1.8 asks for at least 100. Default: 1,000.
   */
  readonly maxRecipients: number;
  /**
   * MAIL commands on one connection; one more is 421. EHLO advertises it in LIMITS (RFC 9422).
   * Default: unlimited.
   */
  readonly maxTransactions: number;
  /**
   * Chunks of fewer than 1,024 octets in one message, without its last chunk (RFC 3030); one more
   * is 421. Default: 1,000.
   */
  readonly maxSmallChunks: number;
  /**
   * `Received:` fields in one message; a message with this number is 554, because it loops
   * (RFC 5321 §6.3). Default: 100.
   */
  readonly maxReceivedFields: number;
  /**
   * Unknown, misplaced or malformed commands on one connection; the last one is 421. Default: 20.
   */
  readonly maxErrors: number;
  /**
   * Junk commands on one connection that get their reply without delay: NOOP, RSET, EHLO, VRFY,
   * HELP and refused commands. A refused RCPT and a small chunk count 0.1. An accepted message
   * resets the count, and every 10,000 ms take 1 off it. Default: 100.
   */
  readonly undelayedJunkCommands: number;
  /** Milliseconds before the reply to each further junk command. Default: 10. */
  readonly junkCommandDelay: number;
  /** Junk commands on one connection; one more is 421. Default: 1,000. */
  readonly maxJunkCommands: number;
  /**
   * Refused logins on one connection that get their reply without delay. RFC 4954 §9 asks for at
   * least 3. Default: 3.
   */
  readonly undelayedLoginFailures: number;
  /** Milliseconds before the reply to each further refused login. Default: 5,000. */
  readonly loginFailureDelay: number;
  /** Refused logins on one connection; the last one is 421. Default: 10. */
  readonly maxLoginFailures: number;
  /**
   * Least milliseconds between the client's last response and the refusal of its login, whatever
   * was wrong. Default: 250.
   */
  readonly minFailureDelay: number;
  /**
   * Milliseconds: the first challenge of live credentials (SCRAM) leaves this time after the
   * client's message, and at most half of it later. The time then does not show which users exist.
   * 0 turns this off. Default: 10.
   */
  readonly minChallengeDelay: number;
  /**
   * Milliseconds of waiting for a line, or for data that arrives too slowly; then 421. RFC 5321
   * §4.5.3.2.7 asks for 300,000. Default: 300,000.
   */
  readonly idleTimeout: number;
  /**
   * Milliseconds that a connection lasts without a login and without an accepted message; then 421.
   * Each accepted message restarts the time. Default: 1,800,000 (30 minutes).
   */
  readonly unauthenticatedTimeout: number;
  /** Milliseconds of one call of a delivery other than `end`; then 451. Default: 120,000. */
  readonly deliveryTimeout: number;
  /**
   * Milliseconds of the call `end` of a message; then 451. A server that stops waiting before the
   * delivery does may deliver twice. Default: 620,000, a little more than the ten minutes that a
   * relay waits for the next server (RFC 5321 §4.5.3.2.6).
   */
  readonly endTimeout: number;
}

/** The default limits: safe on the open Internet, and wide enough for each client that behaves. */
export const defaultLimits: Limits = {
  ...defaultSessionLimits,
  maxTextLine: Number.POSITIVE_INFINITY,
  maxMessageSize: 25 * 1024 * 1024,
  maxRecipients: 1_000,
  maxTransactions: Number.POSITIVE_INFINITY,
  maxSmallChunks: 1_000,
  maxReceivedFields: 100,
  deliveryTimeout: 120_000,
  endTimeout: 620_000,
};

/**
 * Returns all limits: the given ones, and {@link defaultLimits} for the others.
 *
 * @throws TypeError for an unknown name.
 * @throws RangeError for a number that is too small for any server.
 */
export function withDefaultLimits(limits: Partial<Limits> = {}): Limits {
  return completeLimits(limits, defaultLimits, MINIMUMS);
}

/** The least value of each limit with which a server works. */
const MINIMUMS: Limits = {
  ...minimalSessionLimits,
  maxCommandLine: 510,
  maxTextLine: 998,
  maxMessageSize: 1,
  maxRecipients: 1,
  maxTransactions: 1,
  maxSmallChunks: 0,
  maxReceivedFields: 1,
  deliveryTimeout: 1,
  endTimeout: 1,
};
