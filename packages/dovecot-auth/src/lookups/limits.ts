import { completeLimits } from '@postern/sasl-profile';

/** Bounds on what one mail server may use. Sizes are in octets, times in milliseconds. */
export interface LookupLimits {
  /** Octets of one request. Default: 65,536 for `policy`, 8,192 for `socketmap`. */
  readonly maxRequest: number;
  /**
   * Milliseconds from the first octet of a request to its last, and then to the answer. Postfix
   * waits for 100,000. Default: 10,000.
   */
  readonly requestTimeout: number;
  /**
   * Milliseconds of waiting for a request, or for a client that reads nothing. Postfix closes an
   * idle connection after 300,000 itself. Default: 600,000.
   */
  readonly idleTimeout: number;
}

/**
 * Returns all limits: the given ones, and defaults for the others.
 *
 * @throws TypeError for an unknown name.
 * @throws RangeError for a number that is too small for any server.
 */
export function completeLookupLimits(limits: Partial<LookupLimits> | undefined, maxRequest: number): LookupLimits {
  return completeLimits(limits, { maxRequest, requestTimeout: 10_000, idleTimeout: 600_000 }, MINIMUMS);
}

/** The least value of each limit with which a server works. */
const MINIMUMS: LookupLimits = { maxRequest: 512, requestTimeout: 1, idleTimeout: 1 };
