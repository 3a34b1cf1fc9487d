import { decodeUtf8 } from '@postern/sasl';
import { parseMailbox } from './address.ts';
import { hasUnsafeCharacter } from './characters.ts';
import { dsn } from './dsn.ts';
import { BAD_VALUE, type Extension } from './extension.ts';
import { Reply } from './reply.ts';
import type { Tolerance } from './tolerance.ts';
import { XCLIENT_ATTRIBUTES } from './xclient.ts';
import { decodeXtext } from './xtext.ts';

/** The extensions of this server, in the order in which EHLO lists them. */
export const extensions: readonly Extension[] = [
  { keyword: 'PIPELINING', advertise: () => 'PIPELINING' },
  {
    keyword: 'SIZE',
    advertise: ({ limits: { maxMessageSize } }) =>
      Number.isFinite(maxMessageSize) ? `SIZE ${maxMessageSize}` : 'SIZE',
    mail: [
      {
        keyword: 'SIZE',
        read(value, parameters, { limits }) {
          if (value === undefined || !/^\d{1,20}$/.test(value)) return BAD_VALUE;
          parameters.size = Number(value);
          return parameters.size > limits.maxMessageSize ? TOO_LARGE : undefined;
        },
      },
    ],
  },
  {
    keyword: 'LIMITS',
    advertise({ limits: { maxRecipients, maxTransactions } }) {
      const limits = [...limit('RCPTMAX', maxRecipients), ...limit('MAILMAX', maxTransactions)];
      return limits.length === 0 ? undefined : `LIMITS ${limits.join(' ')}`;
    },
  },
  {
    keyword: '8BITMIME',
    advertise: () => '8BITMIME',
    mail: [
      {
        keyword: 'BODY',
        read(value, parameters, { disabledExtensions }) {
          const body = value?.toUpperCase();
          if (body !== '7BIT' && body !== '8BITMIME' && body !== 'BINARYMIME') return BAD_VALUE;
          if (body === 'BINARYMIME' && disabledExtensions.has(body)) return BAD_VALUE;
          parameters.body = body;
          return undefined;
        },
      },
    ],
  },
  { keyword: 'BINARYMIME', advertise: () => 'BINARYMIME' },
  { keyword: 'CHUNKING', advertise: () => 'CHUNKING' },
  dsn,
  { keyword: 'ENHANCEDSTATUSCODES', advertise: () => 'ENHANCEDSTATUSCODES' },
  {
    keyword: 'SMTPUTF8',
    advertise: () => 'SMTPUTF8',
    mail: [
      {
        keyword: 'SMTPUTF8',
        read(value, parameters) {
          if (value !== undefined) return BAD_VALUE;
          parameters.smtpUtf8 = true;
          return undefined;
        },
      },
    ],
  },
  {
    keyword: 'REQUIRETLS',
    advertise: ({ hasTls }) => (hasTls ? 'REQUIRETLS' : undefined),
    mail: [
      {
        keyword: 'REQUIRETLS',
        read(value, parameters, { hasTls }) {
          if (value !== undefined) return BAD_VALUE;
          if (!hasTls) return NOT_BY_TLS;
          parameters.requireTls = true;
          return undefined;
        },
      },
    ],
  },
  { keyword: 'STARTTLS', advertise: ({ canStartTls }) => (canStartTls ? 'STARTTLS' : undefined) },
  {
    keyword: 'AUTH',
    advertise({ mechanisms, needsTls }) {
      return mechanisms.length === 0 || needsTls ? undefined : `AUTH ${mechanisms.join(' ')}`;
    },
    mail: [
      {
        keyword: 'AUTH',
        read(value, parameters, { tolerance, trustsAuthParameter }) {
          const submitter = parseSubmitter(value, tolerance);
          if (submitter === undefined) return BAD_VALUE;
          // RFC 4954 §5: the value of a client that is not trusted counts as <>.
          parameters.auth = trustsAuthParameter ? submitter : null;
          return undefined;
        },
      },
    ],
  },
  {
    keyword: 'XCLIENT',
    advertise({ trustsPeer, takesTrustedLogin, needsTls }) {
      if (!trustsPeer || needsTls) return undefined;
      const attributes = XCLIENT_ATTRIBUTES.filter((name) => name !== 'LOGIN' || takesTrustedLogin);
      return `XCLIENT ${attributes.join(' ')}`;
    },
  },
];

/**
 * Returns the limit in the form of RFC 9422 §4, and nothing for a number with more than six digits.
 */
function limit(name: string, value: number): string[] {
  return value < 1_000_000 ? [`${name}=${Math.floor(value)}`] : [];
}

/**
 * Parses the value of `AUTH=` (RFC 4954 §5). Returns the mailbox; null for `<>` and for a value
 * that the tolerance ignores; undefined for an invalid value.
 */
function parseSubmitter(value: string | undefined, { anySubmitter }: Tolerance): string | null | undefined {
  const octets = decodeXtext(value ?? '');
  const submitter = octets === undefined ? undefined : decodeUtf8(Buffer.from(octets, 'latin1'));
  if (submitter === undefined || submitter === '' || hasUnsafeCharacter(submitter)) return undefined;
  return parseMailbox(submitter)?.toString() ?? (submitter === '<>' || anySubmitter ? null : undefined);
}

const TOO_LARGE = new Reply(552, '5.3.4', 'Message size exceeds the fixed limit');
const NOT_BY_TLS = new Reply(550, '5.7.30', 'REQUIRETLS support required: this connection has no TLS');
