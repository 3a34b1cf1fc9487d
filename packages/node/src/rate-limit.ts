import { hash, randomBytes } from 'node:crypto';
import type { Clock } from '@postern/core';

/** Where a {@link RateLimit} keeps time, and how its keys are spread. */
export interface RateLimitOptions {
  readonly clock: Clock;
  /** Decides which keys share a bucket. A peer must not know it. Default: random. */
  readonly secret?: string;
}

/**
 * Token buckets by key: each key may take `perMinute` tokens at once, and gets as many back a minute.
 * All keys share a fixed table, and each key has a bucket in both of its rows; the fuller bucket
 * decides. So the memory is bounded, each call takes constant time, and no number of other keys makes
 * the table forget one. A key without takes is refused only if both of its buckets are empty: while
 * 1,000 keys are out of tokens, that is the case for one key in 285.
 */
export class RateLimit {
  /** Milliseconds that a token takes to come back. */
  readonly #interval: number;
  readonly #clock: Clock;
  readonly #secret: string;
  /** When each bucket is full again, on the clock; made when the first token is taken. */
  #fullAt: Float64Array | undefined;

  constructor(perMinute: number, { clock, secret = randomBytes(16).toString('base64') }: RateLimitOptions) {
    this.#interval = MINUTE_MS / perMinute;
    this.#clock = clock;
    this.#secret = secret;
  }

  /** Takes a token. Returns false if the key has none. */
  take(key: string): boolean {
    return this.#spend(key, MINUTE_MS);
  }

  /** Takes a token for what is done already, even if the key has none: then the key waits longer, at most a minute. */
  charge(key: string): void {
    this.#spend(key, 2 * MINUTE_MS);
  }

  /** A bucket is empty when it takes a minute to be full again (GCRA). */
  #spend(key: string, maximum: number): boolean {
    if (this.#interval === 0) return true;
    this.#fullAt ??= new Float64Array(2 * BUCKETS_A_ROW);
    const now = this.#clock.now();
    const digest = hash('sha256', this.#secret + key, 'buffer');
    const first = digest.readUInt32LE(0) % BUCKETS_A_ROW;
    const second = BUCKETS_A_ROW + (digest.readUInt32LE(4) % BUCKETS_A_ROW);
    const [firstFullAt = 0, secondFullAt = 0] = [this.#fullAt[first], this.#fullAt[second]];
    const fullAt = Math.max(now, Math.min(firstFullAt, secondFullAt)) + this.#interval;
    // A sum of intervals is not quite a minute.
    if (fullAt - now > maximum + ROUNDING_MS) return false;
    this.#fullAt[first] = Math.max(firstFullAt, fullAt);
    this.#fullAt[second] = Math.max(secondFullAt, fullAt);
    return true;
  }
}

const MINUTE_MS = 60_000;
const ROUNDING_MS = 0.001;
/** 256 KiB for both rows. */
const BUCKETS_A_ROW = 16_384;
