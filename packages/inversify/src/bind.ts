import type { AnyChecker, AvatarFactory, Interface, Realm } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import type { Bind, BindToFluentSyntax, ServiceIdentifier } from 'inversify';
import { identifiers, type ListenerOptions } from './identifiers.ts';

/** An object that makes bindings: a container, or the argument of a ContainerModule's function. */
export interface Binder {
  readonly bind: Bind;
}

/** The place of a checker among the bound checkers. */
export interface CheckerOptions {
  /**
   * The checker's place in the cascade. A CascadingChecker asks all checkers with an order, from
   * the lowest to the highest. A checker without one is registered by itself, and must be the only
   * one for its credentials.
   */
  readonly order?: number;
}

/**
 * Binds the realm: `bindRealm(container).to(AppRealm)`. A server has one realm, or bound avatars.
 */
export function bindRealm(binder: Binder): BindToFluentSyntax<Realm> {
  const identifier = Symbol('realm') as ServiceIdentifier<Realm>;
  binder
    .bind(identifiers.Realm)
    .toResolvedValue((realm: Realm) => realm, [identifier])
    .inSingletonScope();
  return binder.bind(identifier);
}

/**
 * Binds the factory of an avatar interface: `bindAvatar(container,
 * MessageDelivery).toConstantValue(() => new MyDelivery())`. The bound avatars make up the realm.
 */
export function bindAvatar<A extends object>(
  binder: Binder,
  avatarInterface: Interface<A>,
): BindToFluentSyntax<AvatarFactory<A>> {
  const { name } = avatarInterface;
  const identifier = Symbol(`avatar ${name}`) as ServiceIdentifier<AvatarFactory<A>>;
  binder
    .bind(identifiers.Avatar)
    .toResolvedValue((factory: AvatarFactory<A>) => ({ name, avatarInterface, factory }), [identifier])
    .inSingletonScope();
  return binder.bind(identifier);
}

/**
 * Binds a checker: `bindChecker(container, 'database', { order: 1 }).to(DatabaseChecker)`. Errors
 * name it.
 */
export function bindChecker(
  binder: Binder,
  name: string,
  options: CheckerOptions = {},
): BindToFluentSyntax<AnyChecker> {
  const identifier = Symbol(`checker ${name}`) as ServiceIdentifier<AnyChecker>;
  binder
    .bind(identifiers.Checker)
    .toResolvedValue((checker: AnyChecker) => ({ ...options, name, checker }), [identifier])
    .inSingletonScope();
  return binder.bind(identifier);
}

/**
 * Binds a challenger of the application: `bindChallenger(container, 'token').to(TokenChallenger)`.
 * The challenger stands before the default ones, and replaces the default one of the same
 * mechanism.
 */
export function bindChallenger(binder: Binder, name: string): BindToFluentSyntax<Challenger> {
  const identifier = Symbol(`challenger ${name}`) as ServiceIdentifier<Challenger>;
  binder
    .bind(identifiers.Challenger)
    .toResolvedValue((challenger: Challenger) => ({ name, challenger }), [identifier])
    .inSingletonScope();
  return binder.bind(identifier);
}

/**
 * Binds a listener: `bindListener(container, 'submission').toConstantValue({ endpoint: { host: '*',
 * port: 587 } })`.
 */
export function bindListener(binder: Binder, name: string): BindToFluentSyntax<ListenerOptions> {
  const identifier = Symbol(`listener ${name}`) as ServiceIdentifier<ListenerOptions>;
  binder
    .bind(identifiers.Listener)
    .toResolvedValue((options: ListenerOptions) => ({ name, options }), [identifier])
    .inSingletonScope();
  return binder.bind(identifier);
}
