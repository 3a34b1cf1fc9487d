import { type AnyChecker, CascadingChecker, type Checker, type Credentials, type Interface } from '@postern/cred';
import type { BoundChecker } from './bind-checker.ts';

/** The checkers to register: one cascade of those that have an order, and the others. What is wrong goes to the problems. */
export function composeCheckers(bound: readonly BoundChecker[], problems: string[]): Checker<Credentials>[] {
  if (bound.length === 0) problems.push('checker: none is bound; use bindChecker');
  for (const { name, checker } of bound) {
    if (checker.credentialInterfaces.length === 0) problems.push(`checker ${name}: judges no credentials`);
  }
  const cascade = bound.filter(hasOrder).toSorted((a, b) => a.order - b.order);
  for (const [n, { name, order }] of cascade.entries()) {
    const next = cascade[n + 1];
    if (next?.order === order) problems.push(`checker ${name} and checker ${next.name}: have the same order, ${order}`);
  }
  tellConflicts(bound, problems);
  const alone = bound.filter((one) => !hasOrder(one));
  const members = cascade.map(({ checker }) => checker as Checker<Credentials>);
  return [
    ...(members.length > 0 ? [CascadingChecker.of(...members)] : []),
    ...alone.map(({ checker }) => checker as Checker<Credentials>),
  ];
}

/** Two checkers may judge the same credentials only if they both have a place in the cascade. */
function tellConflicts(bound: readonly BoundChecker[], problems: string[]): void {
  for (const [n, one] of bound.entries()) {
    for (const other of bound.slice(n + 1)) {
      if (hasOrder(one) && hasOrder(other)) continue;
      const both = inCommon(one.checker, other.checker);
      if (both.length === 0) continue;
      const names = both.map(({ name }) => name).join(', ');
      problems.push(`checker ${one.name} and checker ${other.name}: both judge ${names}; give each of them an order`);
    }
  }
}

function inCommon(one: AnyChecker, other: AnyChecker): readonly Interface[] {
  return one.credentialInterfaces.filter((credentials) => other.credentialInterfaces.includes(credentials));
}

function hasOrder(bound: BoundChecker): bound is BoundChecker & { readonly order: number } {
  return bound.order !== undefined;
}
