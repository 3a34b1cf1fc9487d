import { createHmac, createSecretKey, type KeyObject, randomBytes, timingSafeEqual } from 'node:crypto';

/** The options of {@link Nonces}. */
export interface NoncesOptions {
  /** The key of the authentication codes: at least 32 bytes. */
  readonly key: Uint8Array;
  readonly realm: string;
  /** The lifetime of a nonce in milliseconds. */
  readonly lifetime: number;
  /** The nonces in use that are remembered. */
  readonly maxNonces: number;
  /** Returns the time in milliseconds since 1970. It never goes backwards. */
  readonly now: () => number;
}

/**
 * The nonces of a Digest server (RFC 7616 §3.3, §5.4). A nonce is its time, random bits, and an
 * authentication code over both: the server stores none until a client has logged in with it. From
 * then on the server remembers the nonce counts that were used, so that no request can be replayed.
 */
export class Nonces {
  readonly #options: NoncesOptions;
  readonly #key: KeyObject;
  /** The counts of each nonce in use, in the order of the first uses. */
  readonly #used = new Map<string, UsedCounts>();
  /** A nonce from before this time that is not in use any more may have been in use. */
  #forgottenUntil = Number.NEGATIVE_INFINITY;

  constructor(options: NoncesOptions) {
    this.#options = options;
    this.#key = createSecretKey(options.key);
  }

  /** Returns a new nonce. */
  next(): string {
    const content = randomBytes(CONTENT_BYTES);
    content.writeUIntBE(Math.floor(this.#options.now()), 0, TIME_BYTES);
    return Buffer.concat([content, this.#codeOf(content)]).toString('base64url');
  }

  /** Returns true if a request may use this nonce with this count, which it has not used before. */
  isFresh(nonce: string, count: number): boolean {
    const issued = this.#issueTime(nonce);
    if (issued === undefined || this.#hasExpired(issued)) return false;
    const used = this.#used.get(nonce);
    return used === undefined ? issued > this.#forgottenUntil : !hasUsed(used, count);
  }

  /** Marks a count as used. Returns false if it is not fresh any more. */
  use(nonce: string, count: number): boolean {
    if (!this.isFresh(nonce, count)) return false;
    let used = this.#used.get(nonce);
    if (used === undefined) {
      used = { issued: this.#issueTime(nonce) ?? 0, highest: 0, seen: 0n };
      this.#makeRoom();
      this.#used.set(nonce, used);
    }
    if (count > used.highest) {
      const shift = count - used.highest;
      used.seen = shift >= WINDOW ? 0n : (used.seen << BigInt(shift)) & WINDOW_MASK;
      used.highest = count;
    }
    used.seen |= 1n << BigInt(used.highest - count);
    return true;
  }

  #makeRoom(): void {
    for (const [nonce, { issued }] of this.#used) {
      if (!this.#hasExpired(issued)) {
        if (this.#used.size < this.#options.maxNonces) return;
        this.#forgottenUntil = Math.max(this.#forgottenUntil, issued);
      }
      this.#used.delete(nonce);
    }
  }

  #hasExpired(issued: number): boolean {
    return issued + this.#options.lifetime <= this.#options.now();
  }

  /** Returns the time of a nonce that this key has made, in its one spelling. */
  #issueTime(nonce: string): number | undefined {
    if (nonce.length !== NONCE_CHARACTERS) return undefined;
    const bytes = Buffer.from(nonce, 'base64url');
    if (bytes.toString('base64url') !== nonce) return undefined;
    const content = bytes.subarray(0, CONTENT_BYTES);
    if (!timingSafeEqual(bytes.subarray(CONTENT_BYTES), this.#codeOf(content))) return undefined;
    return content.readUIntBE(0, TIME_BYTES);
  }

  #codeOf(content: Uint8Array): Buffer {
    const code = createHmac('sha256', this.#key).update(this.#options.realm).update('\0').update(content);
    return code.digest().subarray(0, CODE_BYTES);
  }
}

/** The nonce counts that the requests of one nonce have used. */
interface UsedCounts {
  /** The time of the nonce. */
  readonly issued: number;
  /** The highest count. */
  highest: number;
  /** A bit for each of the last counts; bit 0 is the highest. */
  seen: bigint;
}

function hasUsed({ highest, seen }: UsedCounts, count: number): boolean {
  const distance = highest - count;
  if (distance < 0) return false;
  return distance >= WINDOW || (seen & (1n << BigInt(distance))) !== 0n;
}

/** The counts below the highest that may arrive late: browsers send requests in parallel. */
const WINDOW = 128;
const WINDOW_MASK = (1n << BigInt(WINDOW)) - 1n;

const TIME_BYTES = 6;
const CONTENT_BYTES = 18;
const CODE_BYTES = 15;
/** 33 bytes in base64url, without padding. */
const NONCE_CHARACTERS = 44;
