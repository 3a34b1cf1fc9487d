import type { ChannelBindingType } from '@postern/cred';
import { DEFAULT_CHANNEL_BINDINGS } from './scram/channel-binding.ts';

/** The connection on which a list of mechanisms is offered. */
export interface OfferedOn {
  /** `TLSv1.2` or `TLSv1.3`; undefined without TLS. */
  readonly tls: string | undefined;
  /** The channel binding types that the server takes. Default: all. */
  readonly channelBindings?: readonly ChannelBindingType[] | undefined;
}

/**
 * Names common clients that cannot log in with a password where a server offers these mechanisms,
 * each with the cause. Empty for the default lists, and where no mechanism of the list uses a password.
 */
export function excludedClients(mechanisms: readonly string[], { tls, channelBindings }: OfferedOn): readonly string[] {
  const offered = new Set(mechanisms);
  if (!mechanisms.some((mechanism) => PASSWORD.test(mechanism))) return [];
  const bindings = channelBindings ?? DEFAULT_CHANNEL_BINDINGS;
  const matches = (row: Row): boolean =>
    (row.tls === undefined || (tls !== undefined && row.tls.includes(tls))) &&
    (row.withoutBinding === undefined || !bindings.includes(row.withoutBinding)) &&
    (row.anyOf ?? []).every((group) => group.some((mechanism) => offered.has(mechanism))) &&
    !(row.noneOf ?? []).some((mechanism) => offered.has(mechanism));
  return TABLE.filter(matches).map(({ clients, because }) => `${clients} (${because})`);
}

/** A row matches if all its parts do. */
interface Row {
  /** Clients that give up, without another mechanism or another try. */
  readonly clients: string;
  readonly because: string;
  /** TLS versions. Default: any, and no TLS. */
  readonly tls?: readonly string[];
  /** At least one mechanism of each group is offered. */
  readonly anyOf?: readonly (readonly string[])[];
  /** No mechanism of these is offered. */
  readonly noneOf?: readonly string[];
  /** The server does not take this type. */
  readonly withoutBinding?: ChannelBindingType;
}

const TLS = ['TLSv1.2', 'TLSv1.3'];
const GNU_PLUS = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'];

/** Measured with the clients of Debian 12 and 13, given a server, a user name and a password, and nothing else. */
const TABLE: readonly Row[] = [
  {
    clients: 'mutt, neomutt',
    because: 'choose SCRAM-SHA-256-PLUS, which they cannot do',
    tls: TLS,
    anyOf: [['SCRAM-SHA-256-PLUS']],
  },
  {
    clients: 'mutt, neomutt',
    because: 'choose SCRAM-SHA-1-PLUS, which they cannot do',
    tls: TLS,
    anyOf: [['SCRAM-SHA-1-PLUS']],
    noneOf: ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-256'],
  },
  {
    clients: 'msmtp from 1.8.26, mpop from 1.4.21, gsasl',
    because: 'refuse SCRAM-SHA-1 and -256 under TLS where no -PLUS is offered',
    tls: TLS,
    anyOf: [['SCRAM-SHA-1', 'SCRAM-SHA-256']],
    noneOf: GNU_PLUS,
  },
  {
    clients: 'gsasl without --no-cb',
    because: 'refuses SCRAM-SHA-256 under TLS where SCRAM-SHA-256-PLUS is not offered',
    tls: TLS,
    anyOf: [['SCRAM-SHA-256'], ['SCRAM-SHA-1-PLUS']],
    noneOf: ['SCRAM-SHA-256-PLUS'],
  },
  {
    clients: 'msmtp, mpop, gsasl under TLS 1.2',
    because: 'bind with tls-unique only, which is not taken',
    tls: ['TLSv1.2'],
    anyOf: [GNU_PLUS],
    withoutBinding: 'tls-unique',
  },
  {
    clients: 'Go net/smtp',
    because: 'knows PLAIN and CRAM-MD5 only',
    noneOf: ['PLAIN', 'CRAM-MD5'],
  },
  {
    clients: 'curl, swaks, s-nail, Python smtplib, nodemailer',
    because: 'know PLAIN, LOGIN and CRAM-MD5, and no SCRAM',
    noneOf: ['PLAIN', 'LOGIN', 'CRAM-MD5'],
  },
];

const PASSWORD = /^(?:SCRAM-.*|DIGEST-MD5|CRAM-MD5|PLAIN|LOGIN)$/;
