import { decodeBase64, decodeUtf8, encodeBase64 } from '../bytes.ts';

/**
 * The client's use of channel binding (RFC 5802 §7): it cannot bind (`n`), it can but saw no -PLUS
 * (`y`), or it binds (`p=type`).
 */
export type BindingFlag = 'n' | 'y' | `p=${string}`;

/** A client-first-message, decoded but not prepared. */
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
  /**
   * The value of the `c` attribute as received: base64 of the gs2-header and the channel binding
   * data.
   */
  readonly binding: string;
  readonly nonce: string;
  readonly proof: Uint8Array;
  /** The client-final-message-without-proof as received, for the AuthMessage. */
  readonly withoutProof: string;
}

/** A server-final-message: the server's signature, or an error. */
export type ServerFinal = { readonly signature: Uint8Array } | { readonly error: string };

/**
 * Parses a client-first-message (RFC 5802 §7). Returns undefined for a message outside the grammar.
 */
export function parseClientFirst(message: Uint8Array): ClientFirst | undefined {
  const match = CLIENT_FIRST.exec(boundedText(message));
  if (match === null) return undefined;
  const [, gs2Header = '', flag, bindingType, rawAuthzid, bare = '', rawUsername = '', nonce = ''] = match;
  const username = unescapeName(rawUsername);
  const authzid = rawAuthzid === undefined ? undefined : unescapeName(rawAuthzid);
  if (username === undefined || (rawAuthzid !== undefined && authzid === undefined)) return undefined;
  if (nonce.length < MIN_NONCE_CHARACTERS || nonce.length > MAX_NONCE_CHARACTERS) return undefined;
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

/**
 * Parses a server-first-message (RFC 5802 §7). Returns undefined for a message outside the grammar.
 */
export function parseServerFirst(message: Uint8Array): ServerFirst | undefined {
  const match = SERVER_FIRST.exec(boundedText(message));
  if (match === null) return undefined;
  const [whole, nonce = '', rawSalt = '', iterations] = match;
  const salt = decodeBase64(rawSalt);
  if (salt === undefined || nonce.length > 2 * MAX_NONCE_CHARACTERS) return undefined;
  return { nonce, salt, iterations: Number(iterations), message: whole };
}

/**
 * Parses a client-final-message (RFC 5802 §7). Returns undefined for a message outside the grammar.
 */
export function parseClientFinal(message: Uint8Array): ClientFinal | undefined {
  const match = CLIENT_FINAL.exec(boundedText(message));
  if (match === null) return undefined;
  const [, withoutProof = '', binding = '', nonce = '', rawProof = ''] = match;
  const proof = decodeBase64(rawProof);
  if (proof === undefined) return undefined;
  return { binding, nonce, proof, withoutProof };
}

/**
 * Parses a server-final-message (RFC 5802 §7). Returns undefined for a message outside the grammar.
 */
export function parseServerFinal(message: Uint8Array): ServerFinal | undefined {
  const match = SERVER_FINAL.exec(boundedText(message));
  if (match === null) return undefined;
  const [, rawSignature = '', error] = match;
  if (error !== undefined) return { error };
  const signature = decodeBase64(rawSignature);
  return signature === undefined ? undefined : { signature };
}

/** Returns a gs2-header (RFC 5802 §7). */
export function formatGs2Header(flag: BindingFlag, authzid: string | undefined): string {
  return `${flag},${authzid === undefined ? '' : `a=${escapeName(authzid)}`},`;
}

/** Returns a client-first-message-bare. */
export function formatClientFirstBare(username: string, nonce: string): string {
  return `n=${escapeName(username)},r=${nonce}`;
}

/** Returns a server-first-message. `salt` is in base64. */
export function formatServerFirst(nonce: string, salt: string, iterations: number): string {
  return `r=${nonce},s=${salt},i=${iterations}`;
}

/** Returns a client-final-message-without-proof. `binding` is in base64. */
export function formatClientFinalWithoutProof(binding: string, nonce: string): string {
  return `c=${binding},r=${nonce}`;
}

/** Returns a client-final-message. */
export function formatClientFinal(withoutProof: string, proof: Uint8Array): string {
  return `${withoutProof},p=${encodeBase64(proof)}`;
}

/**
 * Returns a server-final-message of success. `signature` is in base64. This server sends no `e=`:
 * the protocol's own refusal suffices.
 */
export function formatServerFinal(signature: string): string {
  return `v=${signature}`;
}

/**
 * Returns the value of the `c` attribute: base64 of the gs2-header and the channel binding data
 * (RFC 5802 §7).
 */
export function formatBinding(gs2Header: string, data?: Uint8Array): string {
  if (gs2Header === 'n,,' && data === undefined) return 'biws';
  return Buffer.concat([Buffer.from(gs2Header), data ?? Buffer.alloc(0)]).toString('base64');
}

/** Returns the AuthMessage, from which proof and signature are computed (RFC 5802 §3). */
export function formatAuthMessage(clientFirstBare: string, serverFirst: string, withoutProof: string): string {
  return `${clientFirstBare},${serverFirst},${withoutProof}`;
}

/** Escapes `,` and `=` for a saslname (RFC 5802 §5.1). */
export function escapeName(name: string): string {
  return name.replaceAll('=', '=3D').replaceAll(',', '=2C');
}

/**
 * Returns the name of a saslname (RFC 5802 §5.1). Returns undefined for a text outside the grammar.
 */
export function unescapeName(name: string): string | undefined {
  if (!name.includes('=')) return name;
  if (/=(?!2C|3D)/.test(name)) return undefined;
  return name.replaceAll('=2C', ',').replaceAll('=3D', '=');
}

/**
 * Returns the text of a message. Returns the empty text, which matches no grammar, for one that is
 * too long or not UTF-8.
 */
function boundedText(message: Uint8Array): string {
  return message.length > MAX_MESSAGE_BYTES ? '' : (decodeUtf8(message) ?? '');
}

/**
 * The longest message in bytes. No client sends a longer one, and the bound limits the work of a
 * hash.
 */
const MAX_MESSAGE_BYTES = 8192;

/** The shortest nonce of one side: a shorter one protects against nothing. */
const MIN_NONCE_CHARACTERS = 8;
/** The longest nonce of one side. */
const MAX_NONCE_CHARACTERS = 512;

const PRINTABLE = '[\\x21-\\x2b\\x2d-\\x7e]+';
const BASE64 = '[A-Za-z0-9+/]+={0,2}';
/**
 * Extensions: any letter except the attributes of RFC 5802 §5.1, which have their own places, and
 * `m`, whose presence is an error.
 */
const EXTENSIONS = '(?:,[A-Zbdfghj-loqtuw-z]=[^\\0,]+)*';

const CLIENT_FIRST = new RegExp(
  `^(([ny]|p=([A-Za-z0-9.-]+)),(?:a=([^\\0,]+))?,)(n=([^\\0,]+),r=(${PRINTABLE})${EXTENSIONS})$`,
);
const SERVER_FIRST = new RegExp(`^r=(${PRINTABLE}),s=(${BASE64}),i=([1-9][0-9]{0,9})${EXTENSIONS}$`);
const CLIENT_FINAL = new RegExp(`^(c=(${BASE64}),r=(${PRINTABLE})${EXTENSIONS}),p=(${BASE64})$`);
const SERVER_FINAL = new RegExp(`^(?:v=(${BASE64})|e=([^\\0,]+))${EXTENSIONS}$`);
