import { chmodSync } from 'node:fs';
import { AuthLoad } from './auth-server/auth-load.ts';
import { whyWithoutDovecot } from './auth-server/dovecot.ts';
import { type AuthServerName, startAuthServer } from './auth-server/servers.ts';
import { WORKS } from './auth-server/works.ts';
import { describeRun } from './machine.ts';
import { measureWork } from './measure.ts';
import { readOptions, type Times } from './options.ts';
import { failOn } from './progress.ts';
import { compare, costTable } from './report.ts';
import { formatSpread, type Spread, verdict } from './statistics.ts';
import { table } from './table.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/**
 * `npm run bench auth-server`: the auth server of Postfix and Exim beside Dovecot's own, and HTTP
 * Basic beside bare node:http.
 */
export async function benchAuthServer(args: string[]): Promise<void> {
  const { rounds, warmUp, measure, wanted, cores } = readOptions(args, TIMES);
  console.log(describeRun('auth-server', args));
  using folder = new TemporaryFolder();
  // Dovecot's processes have users of their own.
  chmodSync(folder.path, 0o755);
  using load = new AuthLoad(cores?.load);
  const missing = whyWithoutDovecot();
  if (missing !== undefined) console.log(`\n${missing}: without it the PLAIN works have no comparison`);
  const rows: string[][] = [];
  for (const work of WORKS.filter(({ id }) => wanted(id))) {
    const servers = work.servers.filter((name) => name !== 'dovecot' || missing === undefined);
    const start = (name: AuthServerName) => startAuthServer(name, { cores, folder: folder.path });
    const measured = await measureWork(work, servers, start, load, {
      rounds,
      windows: [{ after: warmUp, length: measure }],
    });
    console.log(`\n${costTable({ work, measured }, { windows: [`after ${warmUp / 1000} s`] })}`);
    failOn(measured.failures);
    for (const name of work.servers.filter((ours) => ours !== work.other)) {
      const of = (value: 'rate' | 'cost') => compare(measured, [name, work.other], 0, (sample) => sample[value]);
      const rate = of('rate');
      const asked = rate === undefined ? '–' : verdict(rate, work.asked).replace(' ', ' ≥ ');
      rows.push([`${work.id} ${name}`, work.other, format(rate), asked, format(of('cost'))]);
    }
  }
  console.log(`\n${table(['', 'beside', 'rate', 'asked', 'CPU'], rows)}`);
}

function format(ratio: Spread | undefined): string {
  return ratio === undefined ? '–' : formatSpread(ratio, 2);
}

const TIMES: Times = { measure: 1.5, warmUp: 2, rounds: 5 };
