import { type Endpoint, type ParsedEndpoint, parseEndpoint } from '@postern/node';
import type { SmarthostTls } from '@postern/relay';
import { UsageError } from './errors.ts';

/** The next server: its endpoint, protocol and TLS. */
export interface NextServer {
  readonly endpoint: Endpoint;
  /** True for LMTP, false for SMTP. */
  readonly lmtp: boolean;
  /** Absent if the spec does not name it: then `@postern/relay` chooses. */
  readonly tls?: SmarthostTls;
}

/** The forms of {@link parseNextServer} by their schemes. */
export const NEXT_SERVERS: ReadonlyMap<string, string> = new Map([
  ['lmtp', 'lmtp:HOST:PORT'],
  ['lmtp+unix', 'lmtp+unix:PATH'],
  ['smtp', 'smtp:HOST:PORT'],
  ['smtps', 'smtps:HOST:PORT'],
]);

/**
 * Parses `SCHEME:HOST:PORT` or `lmtp+unix:PATH`, with `?tls=required|offered|none` if wanted. An
 * IPv6 address must be in brackets.
 *
 * @throws UsageError
 */
export function parseNextServer(spec: string): NextServer {
  const { parameters, ...endpoint } = parse(spec);
  const scheme = 'path' in endpoint ? `${endpoint.scheme}+unix` : endpoint.scheme;
  const usage = NEXT_SERVERS.get(scheme);
  if (usage === undefined) throw new UsageError(`expected ${FORMS}`);
  const lmtp = endpoint.scheme === 'lmtp';
  const [parameter, ...more] = parameters;
  if (endpoint.scheme === 'smtps') {
    if (parameter === undefined) return { endpoint, lmtp, tls: 'implicit' };
    throw new UsageError('expected nothing after smtps:HOST:PORT, which is TLS from the first byte');
  }
  if (parameter === undefined) return { endpoint, lmtp };
  const [name, value] = parameter;
  const tls = TLS_WORDS.find((word) => word === value);
  if (name !== 'tls' || tls === undefined || more.length > 0) {
    throw new UsageError(`expected tls=${TLS_WORDS.join('|')} after the ? of ${usage}, and nothing else`);
  }
  return { endpoint, lmtp, tls };
}

/** `smtp:host:25` is short for `smtp://host:25`. */
function parse(spec: string): ParsedEndpoint {
  try {
    return parseEndpoint(/\+unix:/i.test(spec) ? spec : spec.replace(/:(?:\/\/)?/, '://'));
  } catch (error) {
    throw new UsageError(`expected ${FORMS}, with an IPv6 address in brackets`, { cause: error });
  }
}

const FORMS = [...NEXT_SERVERS.values()].join(' or ');
const TLS_WORDS = ['required', 'offered', 'none'] as const;
