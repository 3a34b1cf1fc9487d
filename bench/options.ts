import { parseArgs } from 'node:util';
import { allowedCores, type Cores, has } from './processes.ts';

/** What the command line of every bench says. */
export interface Options {
  readonly rounds: number;
  /** Milliseconds of a server's work before, and in, the window of one measurement. */
  readonly warmUp: number;
  readonly measure: number;
  /** Returns whether this work, or mechanism, is wanted; without a list all are. */
  readonly wanted: (id: string) => boolean;
  readonly cores: Cores | undefined;
  readonly quick: boolean;
}

/** The seconds of one measurement and of the work before it, and the rounds, by default. */
export interface Times {
  readonly measure: number;
  readonly warmUp: number;
  readonly rounds: number;
}

/** The options of every bench, for `parseArgs`. */
export const COMMON = {
  quick: { type: 'boolean', default: false },
  rounds: { type: 'string' },
  seconds: { type: 'string' },
  'warm-up': { type: 'string' },
  only: { type: 'string' },
  cores: { type: 'string' },
} as const;

/** The values of {@link COMMON} as `parseArgs` returns them. */
export interface CommonValues {
  readonly quick: boolean;
  readonly rounds?: string;
  readonly seconds?: string;
  readonly 'warm-up'?: string;
  readonly only?: string;
  readonly cores?: string;
}

/** Parses the command line of a bench that has the common options alone. */
export function readOptions(args: string[], times: Times): Options {
  const { values } = parseArgs({ args, options: COMMON });
  return commonOptions(values, values.quick ? QUICK : times);
}

/** @throws Error that names the option with a wrong value. */
export function commonOptions(values: CommonValues, times: Times): Options {
  const only = values.only?.split(',');
  return {
    rounds: positive('--rounds', values.rounds ?? String(times.rounds)),
    warmUp: 1000 * positive('--warm-up', values['warm-up'] ?? String(times.warmUp)),
    measure: 1000 * positive('--seconds', values.seconds ?? String(times.measure)),
    wanted: (id) => only === undefined || only.some((prefix) => id.startsWith(prefix)),
    cores: coresOf(values.cores),
    quick: values.quick,
  };
}

/** @throws Error unless the text is a number above 0. */
export function positive(option: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${option}: expected a number above 0, not ${text}`);
  return number;
}

/**
 * Returns the named cores, or the last two: the first core has the most of the system's own work.
 */
function coresOf(text: string | undefined): Cores | undefined {
  if (!has('taskset')) {
    console.error('taskset is not installed: server and load generator run on any core.');
    return undefined;
  }
  const [last = 0, other = last] = allowedCores().reverse();
  const [server = other, load = last] = text?.split(',').map(Number) ?? [];
  return { server, load };
}

const QUICK: Times = { measure: 0.3, warmUp: 0.2, rounds: 1 };
