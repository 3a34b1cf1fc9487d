import { completeLimits, type FailurePolicy } from '@postern/sasl-profile';

/** Bounds on what one mail server may use. Sizes are in octets, times in milliseconds. */
export interface SaslauthdLimits extends Pick<FailurePolicy, 'loginFailureDelay' | 'minFailureDelay'> {
  /** Octets of one request. Default: 8,192, the most that a Cyrus client sends. */
  readonly maxRequest: number;
  /**
   * Milliseconds from the connect to the end of the request, and again from there to the end of
   * this server's work on it. Then the login fails temporarily. Default: 10,000.
   */
  readonly requestTimeout: number;
  /** Milliseconds before the answer to wrong credentials. Default: 2,000. */
  readonly loginFailureDelay: number;
}

/**
 * Returns all limits: the given ones, and defaults for the others.
 *
 * @throws TypeError for an unknown name.
 * @throws RangeError for a number that is too small for any server.
 */
export function completeSaslauthdLimits(limits: Partial<SaslauthdLimits> | undefined): SaslauthdLimits {
  return completeLimits(limits, DEFAULTS, MINIMUMS);
}

const DEFAULTS: SaslauthdLimits = {
  maxRequest: 8_192,
  requestTimeout: 10_000,
  loginFailureDelay: 2_000,
  minFailureDelay: 250,
};

/** The least value of each limit with which a server works. */
const MINIMUMS: SaslauthdLimits = { maxRequest: 1_024, requestTimeout: 1, loginFailureDelay: 0, minFailureDelay: 0 };
