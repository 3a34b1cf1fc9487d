import type { Challenger } from '@postern/sasl';
import type { BindToFluentSyntax, ServiceIdentifier } from 'inversify';
import type { Binder } from './bind-realm.ts';
import { identifiers } from './identifiers.ts';

/** A challenger under the name of its binding. */
export interface BoundChallenger {
  readonly name: string;
  readonly challenger: Challenger;
}

/**
 * Binds a challenger of one's own: `bindChallenger(container, 'token').to(TokenChallenger)`. It stands before those of the family, and
 * in the place of the one that has its mechanism.
 */
export function bindChallenger(binding: Binder, name: string): BindToFluentSyntax<Challenger> {
  const identifier = Symbol(`challenger ${name}`) as ServiceIdentifier<Challenger>;
  binding
    .bind(identifiers.Challenger)
    .toResolvedValue((challenger: Challenger) => ({ name, challenger }), [identifier])
    .inSingletonScope();
  return binding.bind(identifier);
}
