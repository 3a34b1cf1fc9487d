import { Credentials } from './credentials.ts';

/**
 * A user whom a trusted peer vouches for, such as a proxy that has authenticated its client itself. There is no proof in it: whether a
 * peer may say this, its protocol decides before; whom it may name, the checker.
 */
export class TrustedLogin extends Credentials {
  readonly username: string;

  constructor(username: string, authzid?: string) {
    super(authzid);
    this.username = username;
  }

  override get guessable(): boolean {
    return false;
  }
}
