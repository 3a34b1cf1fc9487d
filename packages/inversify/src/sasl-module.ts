import { type Challenger, type ChallengersOptions, defaultChallengers as family } from '@postern/sasl';
import { ContainerModule } from 'inversify';
import type { BoundChallenger } from './bind-challenger.ts';
import { identifiers } from './identifiers.ts';
import { Misconfiguration } from './misconfiguration.ts';

/** The challengers: those that are bound, then those of the family whose mechanism nobody has bound. */
export const saslModule = new ContainerModule(({ bind }) => {
  bind(identifiers.Challengers)
    .toResolvedValue(composeChallengers, [
      { serviceIdentifier: identifiers.Hostname, optional: true },
      { serviceIdentifier: identifiers.ChallengersOptions, optional: true },
      { serviceIdentifier: identifiers.Challenger, isMultiple: true },
    ])
    .inSingletonScope();
});

function composeChallengers(
  hostname: string | undefined,
  options: Omit<ChallengersOptions, 'hostname'> | undefined,
  bound: BoundChallenger[],
): readonly Challenger[] {
  const problems: string[] = [];
  if (hostname === undefined) problems.push(NO_HOSTNAME);
  const names = new Map<string, string>();
  for (const { name, challenger } of bound) {
    const other = names.get(challenger.mechanism);
    if (other !== undefined)
      problems.push(`challenger ${other} and challenger ${name}: both are ${challenger.mechanism}`);
    names.set(challenger.mechanism, name);
  }
  if (hostname === undefined || problems.length > 0) throw new Misconfiguration(problems);
  return [
    ...bound.map(({ challenger }) => challenger),
    ...family({ ...options, hostname }).filter(({ mechanism }) => !names.has(mechanism)),
  ];
}

/** What is wrong where nobody has bound the server's name. */
export const NO_HOSTNAME = 'hostname: none is bound; bind identifiers.Hostname';
