import { completeLimits, type FailurePolicy } from '@postern/sasl-profile';

/** Bounds on what one mail server may use. Sizes are in octets, times in milliseconds. */
export interface Limits extends Pick<FailurePolicy, 'loginFailureDelay' | 'minChallengeDelay'> {
  /** Octets of a line without its LF. Default: 16,384, as Dovecot has it. */
  readonly maxLine: number;
  /**
   * Open requests of one connection, whose memory also counts in the server's budget. A further one
   * ends the oldest that waits for its client, since Postfix does not report a client that cancels.
   * If none waits, the further one fails temporarily. Default: 10,000.
   */
  readonly maxRequests: number;
  /**
   * Milliseconds from a message of the client to the end of this server's work on it. Then the
   * login fails temporarily. Postfix waits for 10,000. Default: 8,000.
   */
  readonly requestTimeout: number;
  /**
   * Milliseconds of waiting for a client that owes a response. Default: 150,000, as Dovecot has it.
   */
  readonly responseTimeout: number;
  /**
   * Milliseconds from a message of the client to FAIL. A FAIL after 10,000 is too late for Postfix.
   * Default: 2,000, as Dovecot has it.
   */
  readonly loginFailureDelay: number;
  /** Milliseconds that a connection lasts before its first line. Default: 60,000. */
  readonly handshakeTimeout: number;
  /** Milliseconds for a client that reads nothing to read on. Default: 30,000. */
  readonly writeTimeout: number;
  /**
   * Milliseconds for the other requests of a connection that closes to report a temporary failure.
   * Default: 1,000.
   */
  readonly closeTimeout: number;
}

/** The default limits. Each answer reaches Postfix in time. */
const defaultLimits: Limits = {
  maxLine: 16_384,
  maxRequests: 10_000,
  requestTimeout: 8_000,
  responseTimeout: 150_000,
  loginFailureDelay: 2_000,
  minChallengeDelay: 10,
  handshakeTimeout: 60_000,
  writeTimeout: 30_000,
  closeTimeout: 1_000,
};

/**
 * Returns all limits: the given ones, and the defaults for the others.
 *
 * @throws TypeError for an unknown name.
 * @throws RangeError for a number that is too small for any server, or too late for Postfix.
 */
export function withDefaultLimits(limits: Partial<Limits> = {}): Limits {
  const complete = completeLimits(limits, defaultLimits, MINIMUMS);
  for (const name of ['requestTimeout', 'loginFailureDelay'] as const) {
    const value = complete[name];
    if (value > MAX_ANSWER_MS) {
      throw new RangeError(
        `limits.${name}: expected ${MAX_ANSWER_MS} or less, because Postfix waits 10 s, not ${value}`,
      );
    }
  }
  return complete;
}

/** The least value of each limit with which a server works. */
const MINIMUMS: Limits = {
  maxLine: 1_024,
  maxRequests: 1,
  requestTimeout: 1,
  responseTimeout: 1,
  loginFailureDelay: 0,
  minChallengeDelay: 0,
  handshakeTimeout: 1,
  writeTimeout: 1,
  closeTimeout: 0,
};

/** Postfix gives up after 10 seconds. */
const MAX_ANSWER_MS = 9_000;
