import { hash as digestOf } from 'node:crypto';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';

/**
 * An HMAC key with its two pads computed once (RFC 2104 §4). For a message of SCRAM's size it takes
 * half the time of a `createHmac` with a KeyObject, and a tenth of one with bytes. The pads are
 * private.
 */
export class HmacKey {
  readonly #hash: ScramHash;
  readonly #block: number;
  readonly #inner: Buffer;
  /** The outer pad, followed by room for a digest. */
  readonly #outer: Buffer;

  /** Hashes a key that is longer than a block (RFC 2104 §2). */
  constructor(hash: ScramHash, bytes: Uint8Array) {
    const { block, length } = SCRAM_HASHES[hash];
    const key = bytes.length > block ? h(hash, bytes) : bytes;
    this.#hash = hash;
    this.#block = block;
    this.#inner = Buffer.alloc(block, 0x36);
    this.#outer = Buffer.alloc(block + length, 0x5c);
    key.forEach((byte, index) => {
      this.#inner[index] = byte ^ 0x36;
      this.#outer[index] = byte ^ 0x5c;
    });
  }

  /** Returns the HMAC of a message from {@link withRoom}. Writes to the room in front of it. */
  digest(message: Buffer): Buffer {
    return Buffer.from(this.#digest(message, 'binary'), 'latin1');
  }

  /**
   * Returns the HMAC of a message from {@link withRoom} in base64. Writes to the room in front of
   * it.
   */
  base64(message: Buffer): string {
    return this.#digest(message, 'base64');
  }

  #digest(message: Buffer, encoding: 'binary' | 'base64'): string {
    message.set(this.#inner);
    this.#outer.write(digestOf(this.#hash, message, 'binary'), this.#block, 'latin1');
    return digestOf(this.#hash, this.#outer, encoding);
  }
}

/** Returns a message in UTF-8, with room for a pad in front of it. */
export function withRoom(hash: ScramHash, message: string): Buffer {
  const { block } = SCRAM_HASHES[hash];
  const roomy = Buffer.allocUnsafe(block + Buffer.byteLength(message));
  roomy.write(message, block);
  return roomy;
}

/** Returns the hash of bytes: H() of RFC 5802 §2.2. */
export function h(hash: ScramHash, bytes: Uint8Array): Buffer {
  // Node returns a digest as a Buffer in twice the time of one as a string.
  return Buffer.from(digestOf(hash, bytes, 'binary'), 'latin1');
}

/** Replaces `target` by its exclusive or with a sequence of the same length, and returns it. */
export function xor(target: Buffer, other: Uint8Array): Buffer {
  for (let n = 0; n < target.length; n++) target[n] = (target[n] ?? 0) ^ (other[n] ?? 0);
  return target;
}
