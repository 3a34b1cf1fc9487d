import { type Ask, PasswordProof } from '@postern/cred';
import { encodeUtf8 } from '../bytes.ts';
import { MalformedResponse } from '../errors.ts';
import { type DigestInput, isDigest, responseDigest, rspauthDigest, userHash } from './digest.ts';

/** The content of a response to a DIGEST-MD5 challenge. */
export interface DigestMd5Info {
  /** The user name, prepared for look-up. */
  readonly username: string;
  /** The authorization identity, prepared. */
  readonly authzid: string | undefined;
  /** The user name as it enters the digest. */
  readonly rawUsername: Uint8Array;
  /** The realm as it enters the digest. */
  readonly rawRealm: Uint8Array;
  /** The other directives that enter the digest. */
  readonly input: DigestInput;
  /** The client's digest: 32 hexadecimal digits. */
  readonly response: string;
}

/** The client's response to a DIGEST-MD5 challenge (RFC 2831 §2.1.2). */
export class DigestMd5Response extends PasswordProof {
  readonly username: string;
  readonly #info: DigestMd5Info;
  readonly #ask: Ask;
  #rspauth: Buffer | undefined;

  /** `ask` sends the server's own proof in {@link accepted}. */
  constructor(info: DigestMd5Info, ask: Ask) {
    super(info.authzid);
    this.username = info.username;
    this.#info = info;
    this.#ask = ask;
  }

  override checkPassword(password: string): boolean {
    return this.checkSecret(userHash(this.#info.rawUsername, this.#info.rawRealm, password));
  }

  /**
   * Returns true if the digest was made with this stored secret: MD5 over `user:realm:password`, 16
   * bytes.
   */
  checkSecret(secret: Uint8Array): boolean {
    const { input, response } = this.#info;
    if (!isDigest(response, responseDigest(secret, input))) return false;
    this.#rspauth = rspauthDigest(secret, input);
    return true;
  }

  /** Sends the server's own proof (RFC 2831 §2.1.3). The client's answer is empty. */
  override async accepted(): Promise<void> {
    if (this.#rspauth === undefined)
      throw new TypeError('a checker accepted a DIGEST-MD5 response without checking it');
    const last = await this.#ask(encodeUtf8(`rspauth=${this.#rspauth.toString('hex')}`));
    if (last.length > 0) throw new MalformedResponse('the response to rspauth is not empty');
  }
}
