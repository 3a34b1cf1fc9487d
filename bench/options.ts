import { parseArgs } from 'node:util';
import { allowedCores, type Cores, has } from './processes.ts';

/** What the command line of the bench says. */
export interface Options {
  readonly rounds: number;
  /** Milliseconds of a server's work before, and in, the window of one measurement. */
  readonly warmUp: number;
  readonly measure: number;
  /** True if only these works, or mechanisms, are wanted; without a list all are. */
  readonly wanted: (id: string) => boolean;
  readonly servers: readonly string[];
  readonly cores: Cores | undefined;
  /** Where the servers leave CPU profiles. */
  readonly profile: string | undefined;
}

/** How long one measurement, and the work before it, takes unless told: in seconds. */
export interface Times {
  readonly measure: number;
  readonly warmUp: number;
}

export function readOptions(args: string[], times: Times): Options {
  const { measure, warmUp } = times;
  const { values } = parseArgs({
    args,
    options: {
      quick: { type: 'boolean', default: false },
      rounds: { type: 'string' },
      seconds: { type: 'string' },
      'warm-up': { type: 'string' },
      only: { type: 'string' },
      servers: { type: 'string', default: 'postern,smtp-server,bare' },
      cores: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const only = values.only?.split(',');
  return {
    rounds: positive('--rounds', values.rounds ?? (values.quick ? '1' : '5')),
    warmUp: 1000 * positive('--warm-up', values['warm-up'] ?? String(values.quick ? QUICK.warmUp : warmUp)),
    measure: 1000 * positive('--seconds', values.seconds ?? String(values.quick ? QUICK.measure : measure)),
    wanted: (id) => only === undefined || only.some((prefix) => id.startsWith(prefix)),
    servers: values.servers.split(','),
    cores: coresOf(values.cores),
    profile: values.profile,
  };
}

function positive(option: string, text: string): number {
  const number = Number(text);
  if (!(number > 0)) throw new Error(`${option} wants a number above 0, not ${text}`);
  return number;
}

/** The last two, unless told: the first one has the most of the system's own work. */
function coresOf(text: string | undefined): Cores | undefined {
  if (!has('taskset')) {
    console.error('There is no taskset: server and load generator run on whatever core they get.');
    return undefined;
  }
  const [last = 0, other = last] = allowedCores().reverse();
  const [server = other, load = last] = text?.split(',').map(Number) ?? [];
  return { server, load };
}

const QUICK: Times = { measure: 0.3, warmUp: 0.2 };
