import { parseAddress } from '@postern/core';

/** The account at a back end of nginx's mail proxy. */
export interface NginxBackEndAccount {
  /** The user's name at the back end. Default: the name in the realm. */
  readonly username?: string;
  /**
   * The password at the back end. nginx needs it for IMAP and POP3 after APOP, CRAM-MD5 and
   * EXTERNAL. Default: nginx sends the password that the client has sent.
   */
  readonly password?: string;
}

/** The avatar of a user with a back end of the user's own behind nginx's mail proxy. */
export class NginxBackEnd {
  /** The IP address: nginx resolves no names here. */
  readonly host: string;
  readonly port: number;
  readonly username: string | undefined;
  readonly #password: string | undefined;

  /**
   * `server` is an IP address and a port: `192.0.2.25:587`, `[2001:db8::25]:143`.
   *
   * @throws TypeError if it is not, or if nginx could not pass a name or password on.
   */
  constructor(server: string, { username, password }: NginxBackEndAccount = {}) {
    const [, inBrackets, plain, digits = ''] = SERVER.exec(server) ?? [];
    const host = inBrackets ?? plain ?? '';
    const address = parseAddress(host, digits);
    const isInBrackets = inBrackets !== undefined;
    if (address === undefined || address.port === 0 || (address.family === 'IPv6') !== isInBrackets) {
      throw new TypeError(
        `${JSON.stringify(server)}: expected an IP address and a port, such as 192.0.2.25:587 or [2001:db8::25]:143`,
      );
    }
    if (username !== undefined && !isPassableName(username)) {
      throw new TypeError('username: expected text without blanks and control characters');
    }
    if (password !== undefined && !/^[^\p{Cc}]+$/u.test(password)) {
      throw new TypeError('password: expected text without control characters');
    }
    this.host = host;
    this.port = address.port;
    this.username = username;
    this.#password = password;
  }

  /** The password at the back end. Never log it. */
  get password(): string | undefined {
    return this.#password;
  }
}

/**
 * Returns true for a name that nginx can pass on to a back end. It writes the name as it is behind
 * `LOGIN=` of XCLIENT, so that a blank would end the name.
 */
export function isPassableName(username: string): boolean {
  return PASSABLE.test(username);
}

const SERVER = /^(?:\[([^\]]*)\]|([^:]*)):(\d{1,5})$/;
const PASSABLE = /^[^\s\p{Cc}]+$/u;
