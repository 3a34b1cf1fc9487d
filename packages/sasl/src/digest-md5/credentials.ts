import { type Ask, PasswordProof } from '@postern/cred';
import { encodeUtf8 } from '../bytes.ts';
import { MalformedResponse } from '../errors.ts';
import { type DigestInput, isDigest, responseDigest, rspauthDigest, userHash } from './digest.ts';

/** What a client sent in answer to a DIGEST-MD5 challenge. */
export interface DigestMd5Info {
  /** The user name, prepared for look-up. */
  readonly username: string;
  /** The authorization identity, prepared. */
  readonly authzid: string | undefined;
  /** The user name and the realm as they go into the digest. */
  readonly rawUsername: Uint8Array;
  readonly rawRealm: Uint8Array;
  readonly input: DigestInput;
  /** 32 hexadecimal digits. */
  readonly response: string;
}

/** The answer to a DIGEST-MD5 challenge (RFC 2831 §2.1.2). */
export class DigestMd5Response extends PasswordProof {
  readonly username: string;
  readonly #facts: DigestMd5Info;
  readonly #ask: Ask;
  #rspauth: Buffer | undefined;

  /** `ask` is the exchange's: it sends the server's own proof. */
  constructor(facts: DigestMd5Info, ask: Ask) {
    super(facts.authzid);
    this.username = facts.username;
    this.#facts = facts;
    this.#ask = ask;
  }

  override checkPassword(password: string): boolean {
    return this.checkSecret(userHash(this.#facts.rawUsername, this.#facts.rawRealm, password));
  }

  /** The same for a stored secret: MD5 over `user:realm:password`, 16 bytes. */
  checkSecret(secret: Uint8Array): boolean {
    const { input, response } = this.#facts;
    if (!isDigest(response, responseDigest(secret, input))) return false;
    this.#rspauth = rspauthDigest(secret, input);
    return true;
  }

  /** Says the server's own proof (RFC 2831 §2.1.3), to which the client has nothing to add. */
  override async accepted(): Promise<void> {
    if (this.#rspauth === undefined)
      throw new TypeError('a checker accepted a DIGEST-MD5 response without checking it');
    const last = await this.#ask(encodeUtf8(`rspauth=${this.#rspauth.toString('hex')}`));
    if (last.length > 0) throw new MalformedResponse('a client has nothing to say to rspauth');
  }
}
