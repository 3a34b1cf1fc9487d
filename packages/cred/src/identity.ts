import { ANONYMOUS, type AvatarId } from './checker.ts';
import { NoAvatar } from './errors.ts';

/**
 * The avatar of a server that only asks for the user's name: an auth server of another program, or
 * a web page.
 *
 * @example
 * ```ts
 * import { AvatarRealm, Identity, identityOf } from '@postern/cred';
 *
 * const realm = new AvatarRealm().provide(Identity, identityOf);
 * ```
 */
export class Identity {
  /** The user's name in the realm. */
  readonly username: string;
  /** Other facts about the user that the server may pass on, by their names. Default: none. */
  readonly attributes: ReadonlyMap<string, string>;

  constructor(username: string, attributes: ReadonlyMap<string, string> = new Map()) {
    this.username = username;
    this.attributes = attributes;
  }
}

/**
 * Returns the identity of a user: a factory for `AvatarRealm.provide`.
 *
 * @throws NoAvatar for an anonymous client.
 */
export function identityOf(avatarId: AvatarId): Identity {
  if (avatarId === ANONYMOUS) throw new NoAvatar('an anonymous client has no identity');
  return new Identity(avatarId);
}
