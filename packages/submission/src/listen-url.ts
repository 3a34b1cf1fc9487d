import { type ListenOptions, parseEndpoint } from '@postern/node';

/** A parsed URL: the endpoint and the TLS policy of a listener. */
export type ParsedListenUrl = Pick<ListenOptions, 'endpoint' | 'tlsPolicy'>;

/**
 * Parses `smtp://HOST:PORT` (default port 587), `smtps://HOST:PORT` (465) or `smtp+unix:PATH`, with
 * `?tls=offered|required|none` if wanted. By default a listener with certificates offers STARTTLS.
 *
 * @throws TypeError that names the expected form, or for TLS without certificates.
 */
export function parseListenUrl(url: string, hasCertificates: boolean): ParsedListenUrl {
  const { parameters, ...endpoint } = parse(url);
  const word = parameters.get('tls') ?? undefined;
  for (const key of parameters.keys()) if (key !== 'tls') throw wrongUrl(url, `${key}= is unknown; `);
  if (word !== undefined && !isPolicy(word)) throw wrongUrl(url);
  const implicit = endpoint.scheme === 'smtps';
  if (implicit && (word === 'none' || word === 'offered' || 'path' in endpoint)) throw wrongUrl(url);
  const tlsPolicy = implicit ? 'implicit' : word;
  if (tlsPolicy !== undefined && tlsPolicy !== 'none' && !hasCertificates) {
    throw new TypeError(`listen: ${url} needs a certificate: expected tls: { cert, key }`);
  }
  return { endpoint, tlsPolicy: tlsPolicy ?? (hasCertificates ? 'offered' : 'none') };
}

function parse(url: string): ReturnType<typeof parseEndpoint> {
  try {
    const endpoint = parseEndpoint(url, DEFAULT_PORTS);
    if (endpoint.scheme === 'smtp' || endpoint.scheme === 'smtps') return endpoint;
  } catch (cause) {
    throw wrongUrl(url, '', cause);
  }
  throw wrongUrl(url);
}

function isPolicy(word: string): word is 'offered' | 'required' | 'none' {
  return word === 'offered' || word === 'required' || word === 'none';
}

function wrongUrl(url: string, problem = '', cause?: unknown): TypeError {
  return new TypeError(`listen: ${JSON.stringify(url)}: ${problem}expected ${USAGE}`, { cause });
}

/** RFC 6409 §3.1, RFC 8314 §3.3. */
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['smtp', 587],
  ['smtps', 465],
]);

const USAGE =
  'smtp://HOST:PORT, smtps://HOST:PORT (an IPv6 address in brackets) or smtp+unix:PATH; smtp takes ?tls=offered, ?tls=required or ?tls=none';
