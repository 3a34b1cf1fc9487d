import { AvatarRealm, type Realm } from '@postern/cred';
import type { BoundAvatar } from './bind-avatar.ts';

/** The realm that was bound, or one of the avatars that were. What is wrong goes to the problems. */
export function composeRealm(realms: readonly Realm[], avatars: readonly BoundAvatar[], problems: string[]): Realm {
  const [bound] = realms;
  if (realms.length > 1) problems.push(`realm: bound ${realms.length} times, one is wanted`);
  if (bound === undefined && avatars.length === 0) {
    problems.push('realm: none is bound; use bindRealm, bindAvatar, maildirModule or relayModule');
  }
  if (bound !== undefined && avatars.length > 0) {
    problems.push(`avatar ${avatars.map(({ name }) => name).join(', ')}: not used, since a realm is bound as well`);
  }
  return bound ?? realmOf(avatars, problems);
}

function realmOf(avatars: readonly BoundAvatar[], problems: string[]): Realm {
  const realm = new AvatarRealm();
  const names = new Map(avatars.map(({ avatarInterface, name }) => [avatarInterface, name]));
  for (const [avatarInterface, name] of names) {
    const [first, ...more] = avatars.filter((one) => one.avatarInterface === avatarInterface);
    if (first !== undefined) realm.provide(avatarInterface, first.factory);
    if (more.length > 0) problems.push(`avatar ${name}: bound ${more.length + 1} times, one is wanted`);
  }
  return realm;
}
