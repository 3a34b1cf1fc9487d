import { type Endpoint, parseEndpoint } from '@postern/node';
import type { SmarthostTls } from '@postern/relay';
import { UsageError } from './usage-error.ts';

/** Where messages are handed on to, and how. */
export interface NextServer {
  readonly endpoint: Endpoint;
  readonly lmtp: boolean;
  /** Only if it is said. */
  readonly tls?: SmarthostTls;
}

/** The forms that {@link parseNextServer} understands, by their schemes. */
export const NEXT_SERVERS: ReadonlyMap<string, string> = new Map([
  ['lmtp', 'lmtp:HOST:PORT'],
  ['lmtp+unix', 'lmtp+unix:PATH'],
  ['smtp', 'smtp:HOST:PORT'],
  ['smtps', 'smtps:HOST:PORT'],
]);

/** Parses one of the forms, with `?tls=required|offered|none` if wanted; an IPv6 address stands in brackets. Throws a UsageError. */
export function parseNextServer(spec: string): NextServer {
  const { parameters, ...endpoint } = parse(spec);
  const scheme = 'path' in endpoint ? `${endpoint.scheme}+unix` : endpoint.scheme;
  const usage = NEXT_SERVERS.get(scheme);
  if (usage === undefined) throw new UsageError(`expected ${[...NEXT_SERVERS.values()].join(' or ')}`);
  const lmtp = endpoint.scheme === 'lmtp';
  const [said, ...more] = parameters;
  if (endpoint.scheme === 'smtps') {
    if (said !== undefined)
      throw new UsageError('expected nothing after smtps:HOST:PORT, which is TLS from the first byte');
    return { endpoint, lmtp, tls: 'implicit' };
  }
  if (said === undefined) return { endpoint, lmtp };
  const tls = TLS.find((word) => word === said[1]);
  if (said[0] !== 'tls' || tls === undefined || more.length > 0) {
    throw new UsageError(`expected tls=${TLS.join('|')} after the ? of ${usage}, and nothing else`);
  }
  return { endpoint, lmtp, tls };
}

/** `smtp:host:25` is short for `smtp://host:25`. */
function parse(spec: string) {
  try {
    return parseEndpoint(/\+unix:/i.test(spec) ? spec : spec.replace(/:(?:\/\/)?/, '://'));
  } catch (error) {
    throw new UsageError(`expected ${[...NEXT_SERVERS.values()].join(' or ')}, with an IPv6 address in brackets`, {
      cause: error,
    });
  }
}

const TLS = ['required', 'offered', 'none'] as const;
