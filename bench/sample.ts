import type { ServerName } from './server-names.ts';
import { operationsOf, type Window } from './window.ts';
import type { Work } from './works.ts';

/** What one server showed in one window. */
export interface Sample {
  /** Microseconds of processor time per operation. */
  readonly cost: number;
  /** Operations in a second by the clock. */
  readonly rate: number;
  /** The share of the time in which the server had a processor, 0 to 1. */
  readonly busy: number;
}

/** The samples of one server: for each round, one for each window. A failed round has none. */
export type Rounds = readonly (readonly Sample[])[];

/** What all servers showed at one work. */
export interface Measured<Name extends string = ServerName> {
  readonly rounds: ReadonlyMap<Name, Rounds>;
  /** Why rounds of a server failed: the last reason. */
  readonly failures: ReadonlyMap<Name, string>;
}

/** @throws Error if the window has no operation. */
export function sampleOf({ unit }: Pick<Work, 'unit'>, window: Window): Sample {
  const operations = operationsOf(unit, window);
  if (operations === 0) throw new Error(`no ${unit} in ${window.seconds.toFixed(1)} s`);
  const cpu = window.cpu.reduce((sum, seconds) => sum + seconds, 0);
  return { cost: (cpu * 1e6) / operations, rate: operations / window.seconds, busy: cpu / window.seconds };
}
