import { decodeBase64, decodeUtf8, encodeBase64 } from '../bytes.ts';

/** The client's word on channel binding: it cannot (`n`), could but saw no -PLUS offered (`y`), or does (`p=type`) (RFC 5802 §7). */
export type BindingFlag = 'n' | 'y' | `p=${string}`;

/** A client-first-message, decoded but neither prepared nor judged. */
export interface ClientFirst {
  readonly flag: BindingFlag;
  /** The channel binding type, if the flag names one. */
  readonly bindingType: string | undefined;
  /** The gs2-header as received: `n,,`. */
  readonly gs2Header: string;
  /** The authorization identity, unescaped. */
  readonly authzid: string | undefined;
  /** The user name, unescaped. */
  readonly username: string;
  readonly nonce: string;
  /** The client-first-message-bare as received, for the AuthMessage. */
  readonly bare: string;
}

/** A server-first-message. */
export interface ServerFirst {
  readonly nonce: string;
  readonly salt: Uint8Array;
  readonly iterations: number;
  /** The message as received, for the AuthMessage. */
  readonly message: string;
}

/** A client-final-message. */
export interface ClientFinal {
  /** The value of the `c` attribute as received: base64 of the gs2-header and the channel binding data. */
  readonly binding: string;
  readonly nonce: string;
  readonly proof: Uint8Array;
  /** The client-final-message-without-proof as received, for the AuthMessage. */
  readonly withoutProof: string;
}

/** A server-final-message: the server's signature, or why there is none. */
export type ServerFinal = { readonly signature: Uint8Array } | { readonly error: string };

/** The message as a client-first-message (RFC 5802 §7), or undefined if it is none. */
export function parseClientFirst(message: Uint8Array): ClientFirst | undefined {
  const match = CLIENT_FIRST.exec(limited(message));
  if (match === null) return undefined;
  const [, gs2Header = '', flag, bindingType, rawAuthzid, bare = '', rawUsername = '', nonce = ''] = match;
  const username = unescapeName(rawUsername);
  const authzid = rawAuthzid === undefined ? undefined : unescapeName(rawAuthzid);
  if (username === undefined || (rawAuthzid !== undefined && authzid === undefined)) return undefined;
  if (nonce.length < MIN_NONCE || nonce.length > MAX_NONCE) return undefined;
  return {
    flag: flag as BindingFlag,
    bindingType,
    gs2Header,
    authzid,
    username,
    nonce,
    bare,
  };
}

/** The message as a server-first-message, or undefined if it is none. */
export function parseServerFirst(message: Uint8Array): ServerFirst | undefined {
  const match = SERVER_FIRST.exec(limited(message));
  if (match === null) return undefined;
  const [whole, nonce = '', rawSalt = '', iterations] = match;
  const salt = decodeBase64(rawSalt);
  if (salt === undefined || nonce.length > 2 * MAX_NONCE) return undefined;
  return { nonce, salt, iterations: Number(iterations), message: whole };
}

/** The message as a client-final-message, or undefined if it is none. */
export function parseClientFinal(message: Uint8Array): ClientFinal | undefined {
  const match = CLIENT_FINAL.exec(limited(message));
  if (match === null) return undefined;
  const [, withoutProof = '', binding = '', nonce = '', rawProof = ''] = match;
  const proof = decodeBase64(rawProof);
  if (proof === undefined) return undefined;
  return { binding, nonce, proof, withoutProof };
}

/** The message as a server-final-message, or undefined if it is none. */
export function parseServerFinal(message: Uint8Array): ServerFinal | undefined {
  const match = SERVER_FINAL.exec(limited(message));
  if (match === null) return undefined;
  const [, rawSignature = '', error] = match;
  if (error !== undefined) return { error };
  const signature = decodeBase64(rawSignature);
  return signature === undefined ? undefined : { signature };
}

/** A gs2-header (RFC 5802 §7). */
export function formatGs2Header(flag: BindingFlag, authzid: string | undefined): string {
  return `${flag},${authzid === undefined ? '' : `a=${escapeName(authzid)}`},`;
}

/** A client-first-message-bare. */
export function formatClientFirstBare(username: string, nonce: string): string {
  return `n=${escapeName(username)},r=${nonce}`;
}

/** A server-first-message; the salt is in base64 already. */
export function formatServerFirst(nonce: string, salt: string, iterations: number): string {
  return `r=${nonce},s=${salt},i=${iterations}`;
}

/** A client-final-message-without-proof; the binding is in base64 already. */
export function formatClientFinalWithoutProof(binding: string, nonce: string): string {
  return `c=${binding},r=${nonce}`;
}

/** A client-final-message. */
export function formatClientFinal(withoutProof: string, proof: Uint8Array): string {
  return `${withoutProof},p=${encodeBase64(proof)}`;
}

/**
 * A server-final-message of success; the signature is in base64 already. This server says no errors: the protocol's own refusal is
 * enough.
 */
export function formatServerFinal(signature: string): string {
  return `v=${signature}`;
}

/** The value of the `c` attribute: base64 of the gs2-header and the channel binding data (RFC 5802 §7, cbind-input). */
export function formatBinding(gs2Header: string, data?: Uint8Array): string {
  if (gs2Header === 'n,,' && data === undefined) return 'biws';
  return Buffer.concat([Buffer.from(gs2Header), data ?? Buffer.alloc(0)]).toString('base64');
}

/** What proof and signature are made over (RFC 5802 §3). */
export function formatAuthMessage(clientFirstBare: string, serverFirst: string, withoutProof: string): string {
  return `${clientFirstBare},${serverFirst},${withoutProof}`;
}

/** `,` and `=` in a saslname (RFC 5802 §5.1). */
export function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/** The name that a saslname stands for (RFC 5802 §5.1); undefined if it is none. */
export function unescapeName(name: string): string | undefined {
  if (!name.includes('=')) return name;
  if (/=(?!2C|3D)/.test(name)) return undefined;
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/** The text of a message; one that is too long or no UTF-8 is like an empty one: it matches no grammar. */
function limited(message: Uint8Array): string {
  return message.length > MAX_MESSAGE ? '' : (decodeUtf8(message) ?? '');
}

/** Bytes of a message: far above what any client sends, so that nobody makes us hash a novel. */
const MAX_MESSAGE = 8192;

/** Characters of one side's nonce. Shorter than eight it guards against nothing. */
const MIN_NONCE = 8;
const MAX_NONCE = 512;

const PRINTABLE = '[\\x21-\\x2b\\x2d-\\x7e]+';
const BASE64 = '[A-Za-z0-9+/]+={0,2}';
/**
 * Extensions, in the one place where a message may have them: any letters but those that RFC 5802 §5.1 gives a place of their own,
 * and `m`, whose presence is an error.
 */
const EXTENSIONS = '(?:,[A-Zbdfghj-loqtuw-z]=[^\\0,]+)*';

const CLIENT_FIRST = new RegExp(
  `^(([ny]|p=([A-Za-z0-9.-]+)),(?:a=([^\\0,]+))?,)(n=([^\\0,]+),r=(${PRINTABLE})${EXTENSIONS})$`,
);
const SERVER_FIRST = new RegExp(`^r=(${PRINTABLE}),s=(${BASE64}),i=([1-9][0-9]{0,9})${EXTENSIONS}$`);
const CLIENT_FINAL = new RegExp(`^(c=(${BASE64}),r=(${PRINTABLE})${EXTENSIONS}),p=(${BASE64})$`);
const SERVER_FINAL = new RegExp(`^(?:v=(${BASE64})|e=([^\\0,]+))${EXTENSIONS}$`);
