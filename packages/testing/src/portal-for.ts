import {
  type AvatarFactory,
  type AvatarId,
  AvatarRealm,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Interface,
  Portal,
  type PortalOptions,
} from '@postern/cred';

/** An avatar with an avatar id and no behaviour. */
export class TestAvatar {
  readonly avatarId: AvatarId;

  constructor(avatarId: AvatarId) {
    this.avatarId = avatarId;
  }
}

/**
 * Returns a portal with these users and passwords. Each user gets a {@link TestAvatar}.
 *
 * @example
 * ```ts
 * import { portalFor } from '@postern/testing';
 *
 * const portal = portalFor({ joe: 's3cret', ann: 'pa55word' });
 * ```
 */
export function portalFor(users: Readonly<Record<string, string>>): Portal;
/** Returns a portal with these users and passwords. Each user gets an avatar of the factory. */
export function portalFor<A extends object>(
  users: Readonly<Record<string, string>>,
  avatarInterface: Interface<A>,
  factory: AvatarFactory<A>,
  options?: PortalOptions,
): Portal;
export function portalFor<A extends object>(
  users: Readonly<Record<string, string>>,
  avatarInterface?: Interface<A>,
  factory?: AvatarFactory<A>,
  options?: PortalOptions,
): Portal {
  const realm = new AvatarRealm();
  if (avatarInterface !== undefined && factory !== undefined) realm.provide(avatarInterface, factory);
  else realm.provide(TestAvatar, (avatarId) => new TestAvatar(avatarId));
  return new Portal(realm, options).register(new InMemoryUsernamePasswordDatabaseDontUse(users));
}
