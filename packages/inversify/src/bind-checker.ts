import type { AnyChecker } from '@postern/cred';
import type { BindToFluentSyntax, ServiceIdentifier } from 'inversify';
import type { Binder } from './bind-realm.ts';
import { identifiers } from './identifiers.ts';

/** Where a checker stands among the others. */
export interface CheckerOptions {
  /**
   * The checker's place in the cascade: those with an order are joined in a CascadingChecker and asked from the lowest up. A checker
   * without one is registered by itself, and must be the only one for what it judges.
   */
  readonly order?: number;
}

/** A checker under the name of its binding. */
export interface BoundChecker extends CheckerOptions {
  readonly name: string;
  readonly checker: AnyChecker;
}

/** Binds a checker: `bindChecker(container, 'database', { order: 1 }).to(DatabaseChecker)`. The name is for those who read of it. */
export function bindChecker(
  binding: Binder,
  name: string,
  options: CheckerOptions = {},
): BindToFluentSyntax<AnyChecker> {
  const identifier = Symbol(`checker ${name}`) as ServiceIdentifier<AnyChecker>;
  binding
    .bind(identifiers.Checker)
    .toResolvedValue((checker: AnyChecker) => ({ ...options, name, checker }), [identifier])
    .inSingletonScope();
  return binding.bind(identifier);
}
