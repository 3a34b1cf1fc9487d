import type { Realm } from '@postern/cred';
import type { Bind, BindToFluentSyntax, ServiceIdentifier } from 'inversify';
import { identifiers } from './identifiers.ts';

/** What bindings are made in: a container, or what a ContainerModule's function is handed. */
export interface Binder {
  readonly bind: Bind;
}

/** Binds the realm: `bindRealm(container).to(AppRealm)`. One, and only where no avatars are bound. */
export function bindRealm(binding: Binder): BindToFluentSyntax<Realm> {
  const identifier = Symbol('realm') as ServiceIdentifier<Realm>;
  binding
    .bind(identifiers.Realm)
    .toResolvedValue((realm: Realm) => realm, [identifier])
    .inSingletonScope();
  return binding.bind(identifier);
}
