/** The lines of a handshake that differ between connections. */
export interface Handshake {
  /** The MECH lines. */
  readonly mechanisms: string;
  /** The number of the connection. */
  readonly connectionId: number;
  /** 32 hexadecimal digits, which no other connection has. */
  readonly cookie: string;
}

/**
 * Returns the whole handshake. Exim 4.98 answers VERSION, so VERSION comes first; Postfix and Exim
 * stop at an SPID before the first MECH.
 */
export function formatHandshake({ mechanisms, connectionId, cookie }: Handshake): string {
  return `${VERSION_LINE}${mechanisms}SPID\t${process.pid}\nCUID\t${connectionId}\nCOOKIE\t${cookie}\nDONE\n`;
}

/** Returns the handshake of the userdb protocol. */
export function formatUserdbHandshake(): string {
  return `${VERSION_LINE}SPID\t${process.pid}\n`;
}

/** The version of a peer; undefined for a line without two numbers. */
export function parseVersion(line: string): { readonly major: number; readonly minor: number } | undefined {
  const [, major, minor] = VERSION.exec(line) ?? [];
  return major === undefined ? undefined : { major: Number(major), minor: Number(minor) };
}

/** The major version of the protocols of Dovecot's auth server. */
export const MAJOR_VERSION = 1;
/** The minor version from which clients read `code=`, and from which an empty `resp=` is empty. */
export const MINOR_WITH_CODES = 2;
/** The minor version from which clients pass channel binding on. */
export const MINOR_WITH_BINDING = 3;
/** The minor version from which clients expect CANCELLED. */
export const MINOR_WITH_CANCELLED = 4;

/** Dovecot 2.4 announces the same minor version. Postfix and Exim accept any. */
const MINOR_VERSION = 3;
const VERSION_LINE = `VERSION\t${MAJOR_VERSION}\t${MINOR_VERSION}\n`;
const VERSION = /^VERSION\t(\d{1,9})\t(\d{1,9})(?:\t|$)/;
