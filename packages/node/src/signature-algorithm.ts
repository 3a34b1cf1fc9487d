import type { X509Certificate } from 'node:crypto';

/** The algorithm by which an authority signed a certificate (RFC 5280 §4.1.1.2). */
export interface SignatureAlgorithm {
  /** The object identifier in dotted form. */
  readonly oid: string;
  /** The algorithm's parameters in DER form, or undefined if the certificate has none. */
  readonly parameters: Uint8Array | undefined;
}

/** The hash functions of an RSASSA-PSS signature, by object identifiers (RFC 4055 §3.1). */
export interface PssHashes {
  readonly message: string;
  readonly maskGeneration: string;
}

/**
 * Reads a certificate's signature algorithm from its DER form. Node has `signatureAlgorithmOid`
 * since 24.9, and no parameters.
 * @throws RangeError if the certificate is not in DER form.
 */
export function signatureAlgorithm({ raw }: Pick<X509Certificate, 'raw'>): SignatureAlgorithm {
  const [, algorithm] = children(raw, only(raw));
  if (algorithm === undefined) throw truncated();
  return algorithmIdentifier(raw, algorithm);
}

/**
 * Reads the hash functions in the parameters of an RSASSA-PSS signature. Returns undefined if the
 * parameters name none.
 * @throws RangeError if the parameters are not in DER form.
 */
export function pssHashes(parameters: Uint8Array): PssHashes | undefined {
  let message = SHA1;
  let maskGeneration = SHA1;
  for (const part of children(parameters, only(parameters))) {
    const [algorithm] = children(parameters, part);
    if (algorithm === undefined) return undefined;
    if (part.tag === HASH_ALGORITHM) message = algorithmIdentifier(parameters, algorithm).oid;
    if (part.tag === MASK_GENERATION) {
      const mask = algorithmIdentifier(parameters, algorithm);
      if (mask.oid !== MGF1 || mask.parameters === undefined) return undefined;
      maskGeneration = algorithmIdentifier(mask.parameters, only(mask.parameters)).oid;
    }
  }
  return { message, maskGeneration };
}

/** A DER element: the offsets of its tag, its content and its end. */
interface Element {
  readonly tag: number;
  readonly begin: number;
  readonly content: number;
  readonly end: number;
}

function algorithmIdentifier(der: Uint8Array, element: Element): SignatureAlgorithm {
  const [oid, parameters] = children(der, element);
  if (oid?.tag !== OBJECT_IDENTIFIER) throw truncated();
  return {
    oid: dotted(der.subarray(oid.content, oid.end)),
    parameters: parameters === undefined ? undefined : der.subarray(parameters.begin, parameters.end),
  };
}

function only(der: Uint8Array): Element {
  return elementAt(der, 0, der.length);
}

function children(der: Uint8Array, { content, end }: Element): Element[] {
  const elements: Element[] = [];
  for (let offset = content; offset < end; ) {
    const element = elementAt(der, offset, end);
    elements.push(element);
    offset = element.end;
  }
  return elements;
}

function elementAt(der: Uint8Array, begin: number, limit: number): Element {
  const [tag, first] = [der[begin], der[begin + 1]];
  if (tag === undefined || first === undefined) throw truncated();
  // In the long form the first octet counts the octets of the length (X.690 §8.1.3.5).
  const lengthOctets = first < 0x80 ? 0 : first - 0x80;
  let length = lengthOctets === 0 ? first : 0;
  for (let n = 0; n < lengthOctets; n++) length = length * 256 + (der[begin + 2 + n] ?? 0);
  const content = begin + 2 + lengthOctets;
  if (content + length > limit) throw truncated();
  return { tag, begin, content, end: content + length };
}

/**
 * Returns an object identifier's text (X.690 §8.19). The octets hold groups of 7 bits, and the
 * first number stands for two.
 */
function dotted(bytes: Uint8Array): string {
  const numbers: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (byte >= 0x80) continue;
    numbers.push(value);
    value = 0;
  }
  const [first = 0, ...others] = numbers;
  const root = Math.min(Math.trunc(first / 40), 2);
  return [root, first - 40 * root, ...others].join('.');
}

function truncated(): RangeError {
  return new RangeError('expected an element in DER form');
}

const OBJECT_IDENTIFIER = 0x06;
/** The tags `[0]` and `[1]` of RSASSA-PSS-params. */
const HASH_ALGORITHM = 0xa0;
const MASK_GENERATION = 0xa1;
/** The default of both hash functions (RFC 4055 §3.1). */
const SHA1 = '1.3.14.3.2.26';
const MGF1 = '1.2.840.113549.1.1.8';
