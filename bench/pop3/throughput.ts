import { join } from 'node:path';
import type { LoadGenerator } from '../load.ts';
import { measureWork } from '../measure.ts';
import { failOn } from '../progress.ts';
import { compare, costTable } from '../report.ts';
import type { Measured } from '../sample.ts';
import { formatSpread, type Spread, verdict } from '../statistics.ts';
import { table } from '../table.ts';
import { messageOf, writeMailbox } from './mailbox-files.ts';
import type { Pop3Options } from './options.ts';
import { mailboxFolder, type Pop3ServerName, type Pop3Setting, startPop3Server } from './servers.ts';
import { toWire } from './wire.ts';

/** A work of the load generator. */
interface Throughput {
  readonly id: string;
  readonly title: string;
  readonly load: 'pop3-login' | 'pop3-retr';
  readonly unit: 'login' | 'MiB';
  readonly connections: number;
  /** The messages in the mailbox of each user. */
  readonly mailbox: { readonly count: number; readonly octets: number };
  readonly servers: readonly Pop3ServerName[];
  /** The least ratio to the rate of `bare`. */
  readonly asked: number;
}

/** Works l and r: the rates of `postern serve` beside those of a bare responder. */
export async function benchThroughput(options: Pop3Options, setting: Pop3Setting, load: LoadGenerator): Promise<void> {
  const { rounds, warmUp, measure } = options;
  const results: [Throughput, Measured<Pop3ServerName>][] = [];
  for (const work of WORKS.filter(({ id }) => options.wanted(id))) {
    const mailboxes = join(setting.folder, work.id);
    for (let user = 0; user < work.connections; user++) writeMailbox(mailboxFolder(mailboxes, user), work.mailbox);
    const servers = work.servers.filter((name) => options.servers.includes(name));
    const octets = toWire(messageOf(work.mailbox.octets)).length;
    const measured = await measureWork(
      { ...work, users: work.connections, messages: { count: work.mailbox.count, octets } },
      servers,
      (name) => startPop3Server(name, { ...setting, mailboxes, work: work.id, mailbox: work.mailbox }),
      load,
      { rounds, windows: [{ after: warmUp, length: measure }] },
    );
    console.log(`\n${costTable({ work, measured }, { windows: [`after ${warmUp / 1000} s`] })}`);
    failOn(measured.failures);
    results.push([work, measured]);
  }
  const rows = results.flatMap(([work, measured]) =>
    OURS.filter((name) => measured.rounds.has(name)).map((name) => {
      const of = (other: Pop3ServerName, value: 'rate' | 'cost') =>
        compare(measured, [name, other], 0, (sample) => sample[value]);
      const rate = of('bare', 'rate');
      return [
        `${work.id} ${name}`,
        format(rate),
        rate === undefined ? '–' : verdict(rate, work.asked).replace(' ', ' ≥ '),
        format(of('bare', 'cost')),
        format(of('bare-file', 'rate')),
        format(of('bare-file', 'cost')),
      ];
    }),
  );
  if (rows.length > 0) console.log(`\n${table(HEADER, rows)}`);
}

function format(ratio: Spread | undefined): string {
  return ratio === undefined ? '–' : formatSpread(ratio, 2);
}

const OURS: readonly Pop3ServerName[] = ['command', 'library', 'memory'];

const HEADER = ['', 'rate of bare', 'asked', 'CPU of bare', 'rate of bare-file', 'CPU of bare-file'];

const MIB = 2 ** 20;

const WORKS: readonly Throughput[] = [
  {
    id: 'l',
    title: 'connect, AUTH PLAIN, STAT, QUIT',
    load: 'pop3-login',
    unit: 'login',
    connections: 64,
    mailbox: { count: 2, octets: 1024 },
    servers: ['command', 'library', 'memory', 'bare'],
    asked: 0.7,
  },
  {
    id: 'r',
    title: 'RETR of 1 MiB messages',
    load: 'pop3-retr',
    unit: 'MiB',
    connections: 4,
    mailbox: { count: 8, octets: MIB },
    servers: ['command', 'library', 'memory', 'bare', 'bare-file'],
    asked: 0.8,
  },
];
