import { TrustedLogin } from '@postern/cred';
import { decodeUtf8, offered } from '@postern/sasl';
import type { MailParameters, RcptParameters } from '../delivery.ts';
import { BAD_VALUE } from '../error-replies.ts';
import type { State } from '../session/state.ts';
import { parseMailbox } from './address.ts';
import type { Parameter } from './command.ts';
import { dsn } from './dsn.ts';
import { Reply } from './reply.ts';
import type { Tolerance } from './tolerance.ts';
import { hasUnsafeCharacter } from './unsafe-characters.ts';
import { XCLIENT_ATTRIBUTES } from './xclient.ts';
import { decodeXtext } from './xtext.ts';

/** A service extension (RFC 5321 §2.2): what EHLO says of it, and the parameters that it adds. */
export interface Extension {
  readonly keyword: string;
  /** Its line in the answer to EHLO, or undefined where the client at hand cannot use it now. */
  advertise(state: State): string | undefined;
  readonly mail?: readonly ParameterReader<MailParameters>[];
  readonly rcpt?: readonly ParameterReader<RcptParameters>[];
}

/** How a parameter is read: into the parameters, or it is refused with the reply. */
export interface ParameterReader<P> {
  readonly keyword: string;
  read(value: string | undefined, parameters: Writable<P>, state: State): Reply | undefined;
}

/** The same, to be filled in. */
export type Writable<P> = { -readonly [K in keyof P]: P[K] };

/** The extensions that this server has, in the order in which EHLO lists them. */
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
      const said = [...limit('RCPTMAX', maxRecipients), ...limit('MAILMAX', maxTransactions)];
      return said.length === 0 ? undefined : `LIMITS ${said.join(' ')}`;
    },
  },
  {
    keyword: '8BITMIME',
    advertise: () => '8BITMIME',
    mail: [
      {
        keyword: 'BODY',
        read(value, parameters, { settings }) {
          const body = value?.toUpperCase();
          if (body !== '7BIT' && body !== '8BITMIME' && body !== 'BINARYMIME') return BAD_VALUE;
          if (body === 'BINARYMIME' && settings.disabledExtensions.has(body)) return BAD_VALUE;
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
    advertise: ({ mind }) => (mind.tls === undefined ? undefined : 'REQUIRETLS'),
    mail: [
      {
        keyword: 'REQUIRETLS',
        read(value, parameters, { mind }) {
          if (value !== undefined) return BAD_VALUE;
          if (mind.tls === undefined) return NOT_BY_TLS;
          parameters.requireTls = true;
          return undefined;
        },
      },
    ],
  },
  { keyword: 'STARTTLS', advertise: (state) => (state.canStartTls ? 'STARTTLS' : undefined) },
  {
    keyword: 'AUTH',
    advertise(state) {
      const mechanisms = offered(state.challengers, state.portal, state.mind, state.mechanismPolicy);
      return mechanisms.length === 0 || state.needsTls
        ? undefined
        : `AUTH ${mechanisms.map(({ mechanism }) => mechanism).join(' ')}`;
    },
    mail: [
      {
        keyword: 'AUTH',
        read(value, parameters, state) {
          const submitter = parseSubmitter(value, state.settings.tolerance);
          if (submitter === undefined) return BAD_VALUE;
          // RFC 4954 §5: from who is not trusted it means nothing.
          parameters.auth = state.trusted ? submitter : null;
          return undefined;
        },
      },
    ],
  },
  {
    keyword: 'XCLIENT',
    advertise(state) {
      if (!state.trustsPeer || state.needsTls) return undefined;
      const believed = XCLIENT_ATTRIBUTES.filter((name) => name !== 'LOGIN' || state.portal.handles(TrustedLogin));
      return `XCLIENT ${believed.join(' ')}`;
    },
  },
];

/** The parameters as the extensions read them, or the reply to one that is wrong; one that nobody knows is 555 (RFC 5321 §4.1.1.11). */
export function readParameters<P>(
  readers: ReadonlyMap<string, ParameterReader<P>>,
  said: readonly Parameter[],
  parameters: Writable<P>,
  state: State,
): P | Reply {
  for (const { keyword, value } of said) {
    // After HELO no extension has been offered (RFC 5321 §4.1.1.1).
    const reader = state.extended ? readers.get(keyword) : undefined;
    const refusal = reader === undefined ? UNKNOWN_PARAMETER : reader.read(value, parameters, state);
    if (refusal !== undefined) return refusal;
  }
  return parameters;
}

/** A limit as RFC 9422 §4 writes it, if it can be written. */
function limit(name: string, value: number): string[] {
  return value < 1_000_000 ? [`${name}=${Math.floor(value)}`] : [];
}

/** The readers by their keywords. */
export function readersOf<P>(readers: readonly ParameterReader<P>[]): ReadonlyMap<string, ParameterReader<P>> {
  return new Map(readers.map((reader) => [reader.keyword, reader]));
}

/** RFC 4954 §5: the xtext of a mailbox, or null for `<>` and for what the tolerance ignores; undefined if the value is none of these. */
function parseSubmitter(value: string | undefined, { anySubmitter }: Tolerance): string | null | undefined {
  const octets = decodeXtext(value ?? '');
  const submitter = octets === undefined ? undefined : decodeUtf8(Buffer.from(octets, 'latin1'));
  if (submitter === undefined || submitter === '' || hasUnsafeCharacter(submitter)) return undefined;
  return parseMailbox(submitter)?.toString() ?? (submitter === '<>' || anySubmitter ? null : undefined);
}

const TOO_LARGE = new Reply(552, '5.3.4', 'Message size exceeds the fixed limit');
const NOT_BY_TLS = new Reply(550, '5.7.30', 'REQUIRETLS support required: it is only to be had under TLS');
const UNKNOWN_PARAMETER = new Reply(555, '5.5.4', 'Unknown parameter');
