import { randomBytes } from 'node:crypto';
import type { Clock } from '@postern/core';
import { HalfSipHash } from './half-sip-hash.ts';

/** The clock and the hash key of a {@link RateLimit}. */
export interface RateLimitOptions {
  readonly clock: Clock;
  /**
   * Eight octets that determine which keys share a bucket. Clients must not know them. Default:
   * random.
   */
  readonly secret?: Buffer;
}

/**
 * Token buckets by key: each key may take `perMinute` tokens at once, and gets as many back a
 * minute. All keys share a table of fixed size, and each key has one bucket in each of its two
 * rows. The fuller bucket decides. Thus the memory is bounded, each call takes constant time, and
 * the table forgets no key. A key that took nothing is refused if other keys emptied both of its
 * buckets: while 1,000 keys have no tokens, that is true of one key in 285.
 */
export class RateLimit {
  /** The milliseconds until a token is back. */
  readonly #interval: number;
  readonly #clock: Clock;
  readonly #hash: HalfSipHash;
  /** The time at which each bucket is full again. The first `take` allocates the table. */
  #fullAt: Float64Array | undefined;

  constructor(perMinute: number, { clock, secret = randomBytes(8) }: RateLimitOptions) {
    this.#interval = MINUTE_MS / perMinute;
    this.#clock = clock;
    this.#hash = new HalfSipHash(secret);
  }

  /** Takes a token. Returns false if the key has none. */
  take(key: string): boolean {
    return this.#spend(key, MINUTE_MS);
  }

  /**
   * Takes a token after the fact, also from a key without tokens. The key then waits longer, at
   * most a minute.
   */
  charge(key: string): void {
    this.#spend(key, 2 * MINUTE_MS);
  }

  /** A bucket is empty if it is full again in a minute (generic cell rate algorithm). */
  #spend(key: string, maximum: number): boolean {
    if (this.#interval === 0) return true;
    this.#fullAt ??= new Float64Array(2 * BUCKETS_PER_ROW);
    const now = this.#clock.now();
    const hash = this.#hash.hash(key);
    const first = hash.first % BUCKETS_PER_ROW;
    const second = BUCKETS_PER_ROW + (hash.second % BUCKETS_PER_ROW);
    const firstFullAt = this.#fullAt[first] ?? 0;
    const secondFullAt = this.#fullAt[second] ?? 0;
    const fullAt = Math.max(now, Math.min(firstFullAt, secondFullAt)) + this.#interval;
    // The sum of the intervals differs from a minute by rounding.
    if (fullAt - now > maximum + ROUNDING_MS) return false;
    this.#fullAt[first] = Math.max(firstFullAt, fullAt);
    this.#fullAt[second] = Math.max(secondFullAt, fullAt);
    return true;
  }
}

const MINUTE_MS = 60_000;
const ROUNDING_MS = 0.001;
/** 256 KiB for both rows. */
const BUCKETS_PER_ROW = 16_384;
