import { type Challenger, type ChallengersOptions, defaultChallengers } from '@postern/sasl';
import { ContainerModule } from 'inversify';
import { type BoundChallenger, identifiers } from './identifiers.ts';
import { Misconfiguration, NO_HOSTNAME } from './misconfiguration.ts';

/** Binds the challengers: the bound ones, then the default ones of all other mechanisms. */
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
    if (other !== undefined) {
      problems.push(`challenger ${other} and challenger ${name}: both are ${challenger.mechanism}`);
    }
    names.set(challenger.mechanism, name);
  }
  if (hostname === undefined || problems.length > 0) throw new Misconfiguration(problems);
  return [
    ...bound.map(({ challenger }) => challenger),
    ...defaultChallengers({ ...options, hostname }).filter(({ mechanism }) => !names.has(mechanism)),
  ];
}
