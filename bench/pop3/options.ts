import { parseArgs } from 'node:util';
import { COMMON, commonOptions, type Options, type Times } from '../options.ts';
import { POP3_SERVERS, type Pop3ServerName } from './servers.ts';

/** What the command line of `npm run bench pop3` says. */
export interface Pop3Options extends Options {
  readonly servers: readonly Pop3ServerName[];
  /** The folder where the servers leave CPU profiles. */
  readonly profile: string | undefined;
}

/** @throws Error that names the option with a wrong value. */
export function readPop3Options(args: string[]): Pop3Options {
  const { values } = parseArgs({
    args,
    options: { ...COMMON, servers: { type: 'string' }, profile: { type: 'string' } },
  });
  const servers = (values.servers ?? DEFAULT_SERVERS).split(',') as Pop3ServerName[];
  const unknown = servers.find((name) => !POP3_SERVERS.includes(name));
  if (unknown !== undefined) throw new Error(`--servers: expected ${POP3_SERVERS.join(', ')}, not ${unknown}`);
  return { ...commonOptions(values, values.quick ? QUICK : TIMES), servers, profile: values.profile };
}

const DEFAULT_SERVERS = 'command,bare,bare-file,dovecot';

const TIMES: Times = { measure: 1.5, warmUp: 2, rounds: 5 };

/** The times that prove that everything runs. */
const QUICK: Times = { measure: 0.3, warmUp: 0.5, rounds: 1 };
