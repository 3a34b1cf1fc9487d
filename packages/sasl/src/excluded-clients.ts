import type { ChannelBindingType } from '@postern/cred';
import { DEFAULT_CHANNEL_BINDINGS } from './scram/channel-binding.ts';

/** The connection on which a server offers a list of mechanisms. */
export interface OfferedOn {
  /** `TLSv1.2` or `TLSv1.3`; undefined without TLS. */
  readonly tls: string | undefined;
  /** The channel binding types that the server accepts. Default: all. */
  readonly channelBindings?: readonly ChannelBindingType[] | undefined;
}

/**
 * Returns the common clients that cannot log in with a password where a server offers these
 * mechanisms, each with the cause. Returns none for the default lists, and for a list in which no
 * mechanism uses a password.
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
  return EXCLUSIONS.filter(matches).map(({ clients, because }) => `${clients} (${because})`);
}

/** Some clients, and the lists that exclude them. A row matches if all its parts do. */
interface Row {
  /** Clients that give up without another attempt. */
  readonly clients: string;
  readonly because: string;
  /** The TLS versions. Default: any, and no TLS. */
  readonly tls?: readonly string[];
  /** The list has at least one mechanism of each group. */
  readonly anyOf?: readonly (readonly string[])[];
  /** The list has none of these mechanisms. */
  readonly noneOf?: readonly string[];
  /** The server does not accept this type. */
  readonly withoutBinding?: ChannelBindingType;
}

const TLS = ['TLSv1.2', 'TLSv1.3'];
const GNU_PLUS = ['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'];

/**
 * Measured with the clients of Debian 12 and 13. Each had a server, a user name and a password, and
 * no other configuration.
 */
const EXCLUSIONS: readonly Row[] = [
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
    because: 'bind with tls-unique only, which the server does not accept',
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
