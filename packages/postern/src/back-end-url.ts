import { type Endpoint, isLocalOnly, type ParsedEndpoint, parseEndpoint } from '@postern/node';
import { UsageError } from './errors.ts';
import { secretOf } from './spec-secrets.ts';
import { suggestion } from './suggest.ts';

/** The protocols whose users have their data at a back end. */
export type BackEndService = 'imap' | 'sieve';

/** The server behind IMAP or ManageSieve, and the login there. */
export interface BackEndServer {
  readonly service: BackEndService;
  readonly endpoint: Endpoint;
  /** `offered` accepts any certificate, or no TLS. */
  readonly tls: 'implicit' | 'required' | 'offered' | 'none';
  /** The user who may log in as others. */
  readonly masterUser: string;
  /**
   * The separator of a login name such as `joe*master`. Undefined: the user is the authorization
   * identity of PLAIN.
   */
  readonly masterSeparator: string | undefined;
  readonly password: string;
}

/**
 * Parses `imap://HOST:PORT?masterUser=NAME&password=file:PATH`, `imaps://…`, `sieve://…`,
 * `imap+unix:PATH?…` or `sieve+unix:PATH?…`.
 *
 * @throws UsageError that holds no part of the password.
 */
export function parseBackEnd(url: string): BackEndServer {
  const { parameters, ...endpoint } = parse(url);
  const [masterUser, masterSeparator, password, tls] = PARAMETERS.map((name) => {
    const [value, ...more] = parameters.getAll(name);
    parameters.delete(name);
    if (more.length > 0) throw new UsageError(`expected ${name}= once`);
    return value;
  });
  const [unknown] = parameters.keys();
  if (unknown !== undefined) {
    const names = PARAMETERS.map((name) => `${name}=`).join(', ');
    throw new UsageError(
      `expected ${names} after the ?, not ${JSON.stringify(unknown)}${suggestion(unknown, PARAMETERS)}`,
    );
  }
  if (!masterUser || password === undefined) {
    throw new UsageError('expected ?masterUser=NAME&password=file:PATH (or env:NAME), a user who may log in as others');
  }
  // Every user of the machine can read the arguments of a process.
  if (!/^(?:env|file):/.test(password)) throw new UsageError('expected password=file:PATH or password=env:NAME');
  return {
    service: endpoint.scheme === 'sieve' ? 'sieve' : 'imap',
    endpoint,
    tls: tlsOf(endpoint, tls),
    masterUser,
    masterSeparator,
    password: secretOf(password),
  };
}

function parse(url: string): ParsedEndpoint {
  const [, word = ''] = /^([^:+]*)/.exec(url) ?? [];
  const hint = SCHEMES.includes(word) ? '' : suggestion(word, SCHEMES);
  try {
    const endpoint = parseEndpoint(url);
    const isUnixTls = endpoint.scheme === 'imaps' && 'path' in endpoint;
    if (SCHEMES.includes(endpoint.scheme) && !isUnixTls) return endpoint;
  } catch (error) {
    throw new UsageError(`expected ${FORMS}, with an IPv6 address in brackets${hint}`, { cause: error });
  }
  throw new UsageError(`expected ${FORMS}${hint}`);
}

/** Without a word a password that leaves this machine needs TLS and a valid certificate. */
function tlsOf(endpoint: Endpoint & { readonly scheme: string }, word: string | undefined): BackEndServer['tls'] {
  if (endpoint.scheme === 'imaps') {
    if (word !== undefined) throw new UsageError('expected no tls= with imaps://, which is TLS from the first byte');
    return 'implicit';
  }
  if (word === undefined) return isLocalOnly(endpoint) ? 'none' : 'required';
  const known = TLS_WORDS.find((tls) => tls === word);
  if (known === undefined) throw new UsageError(`expected tls=${TLS_WORDS.join('|')}`);
  return known;
}

const PARAMETERS = ['masterUser', 'masterSeparator', 'password', 'tls'] as const;
const TLS_WORDS = ['required', 'offered', 'none'] as const;
const SCHEMES: readonly string[] = ['imap', 'imaps', 'sieve'];
const FORMS = 'imap://HOST:PORT, imaps://HOST:PORT, sieve://HOST:PORT, imap+unix:PATH or sieve+unix:PATH';
