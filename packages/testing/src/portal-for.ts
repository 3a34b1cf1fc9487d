import {
  type AvatarFactory,
  type AvatarId,
  AvatarRealm,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Interface,
  Portal,
  type PortalOptions,
} from '@postern/cred';

/** An avatar that does nothing but say whose it is. */
export class TestAvatar {
  readonly avatarId: AvatarId;

  constructor(avatarId: AvatarId) {
    this.avatarId = avatarId;
  }
}

/** A portal for these users, by name and password, each of whom gets a {@link TestAvatar}. */
export function portalFor(users: Readonly<Record<string, string>>): Portal;
/** A portal for these users, by name and password, each of whom gets what the factory makes. */
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
