import { createHash, timingSafeEqual } from 'node:crypto';
import type { Clock } from '@postern/core';
import { type Mind, TemporaryFailure } from '@postern/cred';
import { type ErrorReporter, reportError } from '@postern/sasl-profile';

/** A secret that nginx and this server share, in the field X-Auth-Key of nginx's requests. */
export class SharedSecret<D extends string> {
  readonly #digest: Buffer;
  readonly #events: ErrorReporter<D>;
  readonly #during: D;
  readonly #clock: Clock;
  #reportedAt = Number.NEGATIVE_INFINITY;

  /** @throws TypeError for an empty secret. */
  constructor(secret: string, events: ErrorReporter<D>, during: D, clock: Clock) {
    if (secret === '') throw new TypeError('secret: expected the value of X-Auth-Key, not an empty text');
    this.#digest = digestOf(Buffer.from(secret).toString('latin1'));
    this.#events = events;
    this.#during = during;
    this.#clock = clock;
  }

  /**
   * Returns true if a request presents the secret, with one character for each octet. Reports a
   * request that does not, at most once a minute: nginx's configuration may lack the secret, and
   * its clients are refused then.
   */
  admits(presented: string | readonly string[] | undefined, mindOf: () => Mind): boolean {
    if (this.#equals(presented)) return true;
    const now = this.#clock.now();
    if (now - this.#reportedAt >= REPORT_QUIET_MS) {
      this.#reportedAt = now;
      const problem = presented === undefined ? 'without X-Auth-Key' : 'with a wrong X-Auth-Key';
      reportError(this.#events, mindOf(), this.#during, new TemporaryFailure(`a request ${problem}`, OF_OPERATOR));
    }
    return false;
  }

  /** Digests have one length, so the time of the comparison shows nothing of the secret. */
  #equals(presented: string | readonly string[] | undefined): boolean {
    return typeof presented === 'string' && timingSafeEqual(digestOf(presented), this.#digest);
  }
}

function digestOf(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}

const REPORT_QUIET_MS = 60_000;
const OF_OPERATOR = { culprit: 'operator' } as const;
