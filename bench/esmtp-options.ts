import { parseArgs } from 'node:util';
import { COMMON, commonOptions, type Options, positive, type Times } from './options.ts';
import { SERVER_NAMES, type ServerName } from './server-names.ts';

/** What the command line of `npm run bench esmtp` says. */
export interface EsmtpOptions extends Options {
  /**
   * The servers of the works. `before` and `before-library` need `against`, which adds `before` to
   * `command`.
   */
  readonly servers: readonly ServerName[];
  /** A revision of this repository, `auto`, or undefined for no comparison. */
  readonly against: string | undefined;
  /** Milliseconds of a server's work before the second window; undefined without a second one. */
  readonly steady: number | undefined;
  /** The rounds of the servers other than `command` and `before`. */
  readonly roundsOfOthers: number;
  /** The folder where the servers leave CPU profiles. */
  readonly profile: string | undefined;
}

/** @throws Error that names the option with a wrong value. */
export function readEsmtpOptions(args: string[]): EsmtpOptions {
  const { values } = parseArgs({
    args,
    options: {
      ...COMMON,
      against: { type: 'string' },
      servers: { type: 'string' },
      steady: { type: 'string' },
      profile: { type: 'string' },
    },
  });
  const { quick } = values;
  const common = commonOptions(values, quick ? QUICK : TIMES);
  const named = values.against ?? (quick ? 'auto' : 'none');
  const against = named === 'none' ? undefined : named;
  const steady = values.steady ?? (quick ? '0' : String(STEADY));
  return {
    ...common,
    against,
    servers: serversOf(values.servers ?? (quick ? QUICK_SERVERS : SERVERS), against !== undefined),
    steady: steady === '0' ? undefined : 1000 * positive('--steady', steady),
    roundsOfOthers: quick ? 1 : common.rounds,
    profile: values.profile,
  };
}

function serversOf(text: string, hasBefore: boolean): ServerName[] {
  const names = text.split(',') as ServerName[];
  const unknown = names.find((name) => !SERVER_NAMES.includes(name));
  if (unknown !== undefined) throw new Error(`--servers: expected ${SERVER_NAMES.join(', ')}, not ${unknown}`);
  if (!hasBefore) return names.filter((name) => !name.startsWith('before'));
  return names.includes('command') && !names.includes('before') ? [...names, 'before'] : names;
}

const TIMES: Times = { measure: 1.5, warmUp: 2, rounds: 3 };

/** The seconds of a server's work before the steady window. */
const STEADY = 10;

const SERVERS = 'command,before,library,smtp-server,bare';

/** The times that prove that everything runs, and show a ratio that is far worse. */
const QUICK: Times = { measure: 0.4, warmUp: 0.8, rounds: 3 };

const QUICK_SERVERS = 'command,before,smtp-server,bare';
