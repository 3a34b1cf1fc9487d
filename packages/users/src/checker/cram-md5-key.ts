import { hash } from 'node:crypto';
import {
  formatMd5State,
  MD5_BLOCK_OCTETS,
  MD5_START,
  type Md5State,
  md5Block,
  md5From,
  readMd5State,
} from './md5-state.ts';

/**
 * Returns the digest of a CRAM-MD5 challenge (RFC 2195 §2): HMAC-MD5 under the password of these
 * contexts.
 */
export function digestOfChallenge(contexts: Buffer, challenge: Uint8Array): Buffer {
  const inner = md5From(readMd5State(contexts, INNER_OFFSET), challenge, MD5_BLOCK_OCTETS);
  return md5From(readMd5State(contexts, OUTER_OFFSET), inner, MD5_BLOCK_OCTETS);
}

/**
 * Returns the contexts of a password: the states of MD5 after the outer and the inner pad of
 * HMAC-MD5 (RFC 2104 §4), in the order of Dovecot.
 */
export function cramMd5Contexts(password: string): Buffer {
  const key = Buffer.alloc(MD5_BLOCK_OCTETS);
  const octets = Buffer.from(password);
  key.set(octets.length > MD5_BLOCK_OCTETS ? hash('md5', octets, 'buffer') : octets);
  const after = (pad: number): Md5State => md5Block(MD5_START, key.map((octet) => octet ^ pad) as Buffer);
  return Buffer.concat([formatMd5State(after(0x5c)), formatMd5State(after(0x36))]);
}

const OUTER_OFFSET = 0;
const INNER_OFFSET = 16;
