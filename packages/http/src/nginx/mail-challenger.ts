import { Anonymous, type Credentials, UsernamePassword } from '@postern/cred';
import {
  ApopCredentials,
  type Challenger,
  CramMd5Response,
  external,
  MalformedResponse,
  preparedName,
  STRENGTH,
  usernamePassword,
} from '@postern/sasl';
import { readyChallenger } from '@postern/sasl-profile';
import { decodePercent } from './decode-percent.ts';
import type { MailHeader } from './mail-request.ts';

/** A challenger whose exchange nginx has run, and the initial response for it. */
export interface MailExchange {
  readonly challenger: Challenger;
  readonly initialResponse: Uint8Array | undefined;
}

/** Returns the exchange of the request's method; undefined for an unknown method. */
export function mailExchange(header: MailHeader): MailExchange | undefined {
  const { field, method } = header;
  switch (method) {
    case 'plain':
      return ready(PLAIN, () => usernamePassword(octets(field, 'auth-user'), octets(field, 'auth-pass')));
    case 'apop':
      return ready(APOP, () => new ApopCredentials(nameOf(field), saltOf(field), digestOf(field)));
    case 'cram-md5':
      return ready(CRAM_MD5, () => new CramMd5Response(nameOf(field), Buffer.from(saltOf(field)), digestOf(field)));
    case 'external':
      return { challenger: external(), initialResponse: octets(field, 'auth-user') };
    case 'none':
      return ready(ANONYMOUS, () => new Anonymous());
    default:
      return undefined;
  }
}

type Command<C extends Credentials> = Parameters<typeof readyChallenger<C>>[0];

function ready<C extends Credentials>(command: Command<C>, credentialsOf: () => C): MailExchange {
  return { challenger: readyChallenger(command, credentialsOf), initialResponse: undefined };
}

function octets(field: MailHeader['field'], name: string): Buffer {
  const decoded = decodePercent(field(name) ?? '');
  if (decoded === undefined) throw new MalformedResponse(`${name} is not escaped as nginx does`);
  return decoded;
}

function nameOf(field: MailHeader['field']): string {
  return preparedName(octets(field, 'auth-user'), 'user name');
}

function digestOf(field: MailHeader['field']): string {
  const digest = octets(field, 'auth-pass').toString('latin1');
  if (!DIGEST.test(digest)) throw new MalformedResponse('a digest is 32 hexadecimal digits in lower case');
  return digest;
}

function saltOf(field: MailHeader['field']): string {
  const salt = field('auth-salt') ?? '';
  if (!SALT.test(salt)) throw new MalformedResponse('Auth-Salt is a timestamp in angle brackets');
  return salt;
}

const PLAIN = {
  mechanism: 'PLAIN',
  credentials: UsernamePassword,
  exposesSecret: true,
  strength: STRENGTH.password,
} as const;
const APOP = {
  mechanism: 'APOP',
  credentials: ApopCredentials,
  exposesSecret: false,
  strength: STRENGTH.digest,
} as const;
const CRAM_MD5 = {
  mechanism: 'CRAM-MD5',
  credentials: CramMd5Response,
  exposesSecret: false,
  strength: STRENGTH.digest,
} as const;
const ANONYMOUS = {
  mechanism: 'ANONYMOUS',
  credentials: Anonymous,
  exposesSecret: false,
  strength: STRENGTH.none,
} as const;

/** RFC 1939 §7, RFC 2195 §2. */
const DIGEST = /^[\da-f]{32}$/;
const SALT = /^<[\x21-\x3b\x3d\x3f-\x7e]{1,512}>$/;
