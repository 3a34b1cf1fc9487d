import { completeLimits } from '@postern/sasl-profile';

/** Bounds on what one request may use. Sizes are in octets, times in milliseconds. */
export interface HttpLimits {
  /** Octets of the Authorization field. */
  readonly maxAuthorization: number;
  /** The earliest refusal, counted from the arrival of the request. */
  readonly minFailureDelay: number;
  /** The earliest challenge of SCRAM, counted from the arrival of the request; 0 for no delay. */
  readonly minChallengeDelay: number;
}

/** Returns all limits: those of the option, and the defaults for the others. */
export function withDefaultLimits(limits: Partial<HttpLimits> | undefined): HttpLimits {
  return completeLimits(limits, DEFAULT_LIMITS, MINIMAL_LIMITS);
}

const DEFAULT_LIMITS: HttpLimits = { maxAuthorization: 16_384, minFailureDelay: 250, minChallengeDelay: 10 };
const MINIMAL_LIMITS: HttpLimits = { maxAuthorization: 255, minFailureDelay: 0, minChallengeDelay: 0 };
