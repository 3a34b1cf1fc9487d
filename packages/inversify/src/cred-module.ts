import {
  type AnyChecker,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  type Clock,
  type Credentials,
  type Interface,
  Portal,
  type PortalOptions,
  type Realm,
} from '@postern/cred';
import { InMemoryFailureCounts, type ThrottleOptions, withThrottle } from '@postern/throttle';
import { ContainerModule } from 'inversify';
import { type BoundAvatar, type BoundChecker, identifiers } from './identifiers.ts';
import { Misconfiguration } from './misconfiguration.ts';

/**
 * Binds the portal: the bound realm or avatars, and the bound checkers. It throws Misconfiguration
 * if they do not fit.
 */
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

/** Returns the bound realm, or a realm of the bound avatars. */
function composeRealm(realms: readonly Realm[], avatars: readonly BoundAvatar[], problems: string[]): Realm {
  const [bound] = realms;
  if (realms.length > 1) problems.push(`realm: bound ${realms.length} times; expected one`);
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
    const [first, ...more] = avatars.filter((avatar) => avatar.avatarInterface === avatarInterface);
    if (first !== undefined) realm.provide(avatarInterface, first.factory);
    if (more.length > 0) problems.push(`avatar ${name}: bound ${more.length + 1} times; expected one`);
  }
  return realm;
}

/**
 * Returns the checkers to register: one cascade of the checkers with an order, and each of the
 * others.
 */
function composeCheckers(bound: readonly BoundChecker[], problems: string[]): Checker<Credentials>[] {
  if (bound.length === 0) problems.push('checker: none is bound; use bindChecker');
  for (const { name, checker } of bound) {
    if (checker.credentialInterfaces.length === 0) problems.push(`checker ${name}: judges no credentials`);
  }
  const cascade = bound.filter(hasOrder).toSorted((a, b) => a.order - b.order);
  for (const [n, { name, order }] of cascade.entries()) {
    const next = cascade[n + 1];
    if (next?.order === order) problems.push(`checker ${name} and checker ${next.name}: have the same order, ${order}`);
  }
  findConflicts(bound, problems);
  const single = bound.filter((checker) => !hasOrder(checker));
  const members = cascade.map(({ checker }) => checker as Checker<Credentials>);
  return [
    ...(members.length > 0 ? [CascadingChecker.of(...members)] : []),
    ...single.map(({ checker }) => checker as Checker<Credentials>),
  ];
}

/** Two checkers may judge the same credentials only if both have a place in the cascade. */
function findConflicts(bound: readonly BoundChecker[], problems: string[]): void {
  for (const [n, first] of bound.entries()) {
    for (const second of bound.slice(n + 1)) {
      if (hasOrder(first) && hasOrder(second)) continue;
      const shared = sharedInterfaces(first.checker, second.checker);
      if (shared.length === 0) continue;
      const names = shared.map(({ name }) => name).join(', ');
      problems.push(
        `checker ${first.name} and checker ${second.name}: both judge ${names}; give each of them an order`,
      );
    }
  }
}

function sharedInterfaces(first: AnyChecker, second: AnyChecker): readonly Interface[] {
  return first.credentialInterfaces.filter((credentials) => second.credentialInterfaces.includes(credentials));
}

function hasOrder(bound: BoundChecker): bound is BoundChecker & { readonly order: number } {
  return bound.order !== undefined;
}
