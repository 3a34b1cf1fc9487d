import type { AvatarFactory, Interface } from '@postern/cred';
import type { BindToFluentSyntax, ServiceIdentifier } from 'inversify';
import type { Binder } from './bind-realm.ts';
import { identifiers } from './identifiers.ts';

/** An avatar's factory, under the name of its binding. */
export interface BoundAvatar {
  readonly name: string;
  readonly avatarInterface: Interface<object>;
  readonly factory: AvatarFactory<object>;
}

/**
 * Binds the factory of an avatar interface: `bindAvatar(container, MessageDelivery).toConstantValue(() => new MyDelivery())`. The avatars that are
 * bound make up the realm, where none of its own is bound.
 */
export function bindAvatar<A extends object>(
  binding: Binder,
  avatarInterface: Interface<A>,
): BindToFluentSyntax<AvatarFactory<A>> {
  const { name } = avatarInterface;
  const identifier = Symbol(`avatar ${name}`) as ServiceIdentifier<AvatarFactory<A>>;
  binding
    .bind(identifiers.Avatar)
    .toResolvedValue((factory: AvatarFactory<A>) => ({ name, avatarInterface, factory }), [identifier])
    .inSingletonScope();
  return binding.bind(identifier);
}
