import { hash as digestOf } from 'node:crypto';
import { SCRAM_HASHES, type ScramHash } from './hashes.ts';

/**
 * An HMAC key with its two pads computed once (RFC 2104 §4). Over a message of SCRAM's size it takes half the time of a
 * `createHmac` with a KeyObject, and a tenth of one with bytes. Keeps its pads to itself.
 */
export class HmacKey {
  readonly #hash: ScramHash;
  readonly #inner: Buffer;
  readonly #outer: Buffer;

  /** The key is as long as a digest of the hash: never longer than its block. */
  constructor(hash: ScramHash, key: Uint8Array) {
    const { block } = SCRAM_HASHES[hash];
    this.#hash = hash;
    this.#inner = Buffer.alloc(block, 0x36);
    this.#outer = Buffer.alloc(block, 0x5c);
    key.forEach((byte, n) => {
      this.#inner[n] = byte ^ 0x36;
      this.#outer[n] = byte ^ 0x5c;
    });
  }

  /** The HMAC of the message. */
  digest(message: Uint8Array): Buffer {
    return h(this.#hash, join(this.#outer, h(this.#hash, join(this.#inner, message))));
  }
}

/** The hash of some bytes. */
export function h(hash: ScramHash, bytes: Uint8Array): Buffer {
  // By way of a string: node makes a digest that is a Buffer three times slower than one that is a text.
  return Buffer.from(digestOf(hash, bytes, 'binary'), 'latin1');
}

/** The exclusive or of two sequences of one length. */
export function xor(one: Uint8Array, other: Uint8Array): Buffer {
  const result = Buffer.from(one);
  for (let n = 0; n < result.length; n++) result[n] = (result[n] ?? 0) ^ (other[n] ?? 0);
  return result;
}

function join(pad: Buffer, message: Uint8Array): Buffer {
  const joined = Buffer.allocUnsafe(pad.length + message.length);
  joined.set(pad);
  joined.set(message, pad.length);
  return joined;
}
