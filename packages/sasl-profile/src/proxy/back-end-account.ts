import { encodeUtf8 } from '@postern/sasl';

/** An account at a back end. */
export interface BackEndAccount {
  /** The user whose data the client gets. */
  readonly username: string;
  /** The password of the master user; without one, of the user. */
  readonly password: string;
  /** The user who may log in as others. Default: the login is the user's own. */
  readonly masterUser?: string | undefined;
  /**
   * The separator of a login name such as `joe*master`: `auth_master_user_separator` of Dovecot.
   * Default: the user is the authorization identity of PLAIN (RFC 4616), and the name stays apart.
   */
  readonly masterSeparator?: string | undefined;
}

/** The names and the password of an account, as SASL knows them. The password shows in no log. */
export class BackEndCredentials {
  readonly authzid: string;
  readonly username: string;
  readonly #password: string;

  /**
   * @throws RangeError for a name that is empty, longer than 255 octets or holds control
   * characters, and for a user name with the separator: such a user could act as another one.
   */
  constructor({ username, password, masterUser, masterSeparator }: BackEndAccount) {
    checkName('username', username);
    checkText('password', password);
    this.#password = password;
    if (masterUser !== undefined) checkName('masterUser', masterUser);
    if (masterUser === undefined || masterSeparator === undefined) {
      this.authzid = masterUser === undefined ? '' : username;
      this.username = masterUser ?? username;
      return;
    }
    if (masterSeparator === '') throw new RangeError('masterSeparator: expected a character, not an empty text');
    checkText('masterSeparator', masterSeparator);
    for (const [option, name] of Object.entries({ username, masterUser })) {
      if (name.includes(masterSeparator)) {
        throw new RangeError(`${option}: expected a name without ${JSON.stringify(masterSeparator)}, the separator`);
      }
    }
    this.authzid = '';
    this.username = `${username}${masterSeparator}${masterUser}`;
  }

  get password(): string {
    return this.#password;
  }

  /** The message of PLAIN in base64 (RFC 4616 §2). */
  get plain(): string {
    return Buffer.from(`${this.authzid}\0${this.username}\0${this.#password}`).toString('base64');
  }
}

function checkName(option: string, name: string): void {
  checkText(option, name);
  const { length } = encodeUtf8(name);
  if (length === 0 || length > MAX_NAME_OCTETS) {
    throw new RangeError(`${option}: expected a name of 1 to ${MAX_NAME_OCTETS} octets, not ${length}`);
  }
}

function checkText(option: string, text: string): void {
  if (typeof text !== 'string') throw new TypeError(`${option}: expected a text`);
  if (!text.isWellFormed() || CONTROLS.test(text)) {
    throw new RangeError(`${option}: expected a text without control characters`);
  }
}

const MAX_NAME_OCTETS = 255;
const CONTROLS = /[\p{Cc}\u2028\u2029]/u;
