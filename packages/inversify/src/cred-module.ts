import { type Clock, Portal, type PortalOptions, type Realm } from '@postern/cred';
import { InMemoryFailureCounts, type ThrottleOptions, withThrottle } from '@postern/throttle';
import { ContainerModule } from 'inversify';
import type { BoundAvatar } from './bind-avatar.ts';
import type { BoundChecker } from './bind-checker.ts';
import { composeCheckers } from './compose-checkers.ts';
import { composeRealm } from './compose-realm.ts';
import { identifiers } from './identifiers.ts';
import { Misconfiguration } from './misconfiguration.ts';

/** The portal, of the realm, the avatars and the checkers that are bound. Without them, or with too many, it is a Misconfiguration. */
export const credModule = new ContainerModule(({ bind }) => {
  bind(identifiers.Portal)
    .toResolvedValue(composePortal, [
      { serviceIdentifier: identifiers.Realm, isMultiple: true },
      { serviceIdentifier: identifiers.Avatar, isMultiple: true },
      { serviceIdentifier: identifiers.Checker, isMultiple: true },
      { serviceIdentifier: identifiers.PortalOptions, optional: true },
      { serviceIdentifier: identifiers.Throttle, optional: true },
      { serviceIdentifier: identifiers.Clock, optional: true },
    ])
    .inSingletonScope();
});

function composePortal(
  realms: Realm[],
  avatars: BoundAvatar[],
  bound: BoundChecker[],
  options: PortalOptions | undefined,
  throttle: ThrottleOptions | undefined,
  clock: Clock | undefined,
): Portal {
  const problems: string[] = [];
  const realm = composeRealm(realms, avatars, problems);
  const checkers = composeCheckers(bound, problems);
  if (problems.length > 0) throw new Misconfiguration(problems);

  const time = clock === undefined ? {} : { clock };
  const portal = new Portal(realm, { ...time, ...options });
  const limits = throttle && { counts: new InMemoryFailureCounts(time), ...time, ...throttle };
  for (const checker of checkers) portal.register(limits === undefined ? checker : withThrottle(checker, limits));
  return portal;
}
