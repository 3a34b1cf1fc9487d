import { type Endpoint, type ListenOptions, parseEndpoint } from '@postern/node';

/** What a URL says of a listener: where it listens and what it does about TLS. */
export type ListenerPlace = Pick<ListenOptions, 'endpoint' | 'tlsPolicy'>;

/**
 * Parses `smtp://HOST:PORT` (port 587 if there is none), `smtps://HOST:PORT` (465) or `smtp+unix:PATH`, each with
 * `?tls=offered|required|none` if wanted. Without that word STARTTLS is offered if there are certificates.
 *
 * @throws TypeError with the expected form, or for TLS without certificates.
 */
export function parseListenUrl(url: string, hasCertificates: boolean): ListenerPlace {
  const { parameters, ...endpoint } = parse(url);
  const word = parameters.get('tls') ?? undefined;
  for (const key of parameters.keys()) if (key !== 'tls') throw misunderstood(url, `${key}= is unknown; `);
  if (word !== undefined && !isPolicy(word)) throw misunderstood(url);
  const implicit = endpoint.scheme === 'smtps';
  if (implicit && (word === 'none' || word === 'offered' || 'path' in endpoint)) throw misunderstood(url);
  const wanted = implicit ? 'implicit' : word;
  if (wanted !== undefined && wanted !== 'none' && !hasCertificates) {
    throw new TypeError(`listen: ${url} needs a certificate: expected tls: { cert, key }`);
  }
  return { endpoint, tlsPolicy: wanted ?? (hasCertificates ? 'offered' : 'none') };
}

/** True if only clients on this machine reach the endpoint. */
export function isLocalOnly(endpoint: Endpoint): boolean {
  if ('path' in endpoint) return true;
  return endpoint.host === 'localhost' || endpoint.host === '::1' || endpoint.host.startsWith('127.');
}

function parse(url: string): ReturnType<typeof parseEndpoint> {
  try {
    const endpoint = parseEndpoint(url, DEFAULT_PORTS);
    if (endpoint.scheme === 'smtp' || endpoint.scheme === 'smtps') return endpoint;
  } catch (cause) {
    throw misunderstood(url, '', cause);
  }
  throw misunderstood(url);
}

function isPolicy(word: string): word is 'offered' | 'required' | 'none' {
  return word === 'offered' || word === 'required' || word === 'none';
}

function misunderstood(url: string, why = '', cause?: unknown): TypeError {
  return new TypeError(`listen: ${JSON.stringify(url)}: ${why}expected ${USAGE}`, { cause });
}

/** RFC 6409 §3.1, RFC 8314 §3.3. */
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['smtp', 587],
  ['smtps', 465],
]);

const USAGE =
  'smtp://HOST:PORT, smtps://HOST:PORT (an IPv6 address in brackets) or smtp+unix:PATH; smtp takes ?tls=offered, ?tls=required or ?tls=none';
