import { isIP, isIPv6 } from 'node:net';
import { isLocal } from '@postern/core';

/** The address at which a server listens, or to which a client connects. */
export type Endpoint = TcpEndpoint | UnixEndpoint;

/** A TCP endpoint. */
export interface TcpEndpoint {
  /**
   * The scheme of the URL: `smtp`, `lmtps`. `connect` ignores it, and the default of `listen`'s
   * `tlsPolicy` depends on it.
   */
  readonly scheme?: string;
  /** A name or an address, IPv6 without brackets. `*` means every address of this machine. */
  readonly host: string;
  /** With 0 the system chooses a port. */
  readonly port: number;
}

/** A UNIX socket with the path of its file. */
export interface UnixEndpoint {
  readonly scheme?: string;
  readonly path: string;
}

/** An endpoint of a URL, with the URL's query parameters. */
export type ParsedEndpoint = Endpoint & { readonly scheme: string; readonly parameters: URLSearchParams };

/**
 * Parses `scheme://host:port?parameters` or `scheme+unix:path?parameters`. An IPv6 address stands
 * in brackets. A scheme in `defaultPorts` needs no port.
 *
 * @example
 * ```ts
 * import { formatEndpoint, parseEndpoint } from '@postern/node';
 *
 * const endpoint = parseEndpoint('smtp://[::1]?tls=required', new Map([['smtp', 587]]));
 * console.log(formatEndpoint(endpoint)); // smtp://[::1]:587
 * console.log(endpoint.parameters.get('tls')); // required
 * ```
 *
 * @throws TypeError that names the URL and the expected forms.
 */
export function parseEndpoint(url: string, defaultPorts: ReadonlyMap<string, number> = new Map()): ParsedEndpoint {
  const query = url.indexOf('?');
  const parameters = new URLSearchParams(query < 0 ? '' : url.slice(query + 1));
  const text = query < 0 ? url : url.slice(0, query);
  const [, unixScheme, path] = /^([a-z][a-z0-9.-]*)\+unix:(?:\/\/)?(.+)$/i.exec(text) ?? [];
  if (unixScheme !== undefined && path !== undefined) {
    return { scheme: unixScheme.toLowerCase(), path: decode(path, url), parameters };
  }
  const [, scheme, inBrackets, name, digits] = TCP.exec(text) ?? [];
  const host = inBrackets ?? name;
  if (scheme === undefined || host === undefined) throw misunderstood(url);
  if (inBrackets !== undefined && !isIPv6(inBrackets)) throw misunderstood(url, `${inBrackets} is not an IPv6 address`);
  const port = digits === undefined ? defaultPorts.get(scheme.toLowerCase()) : Number(digits);
  if (port === undefined) throw misunderstood(url, 'the port is missing');
  if (port > 65_535) throw misunderstood(url, `${port} is not a port`);
  return { scheme: scheme.toLowerCase(), host, port, parameters };
}

/** Returns the endpoint as a URL. Without a scheme the URL has `tcp`. */
export function formatEndpoint(endpoint: Endpoint): string {
  const scheme = endpoint.scheme ?? 'tcp';
  if ('path' in endpoint) {
    // Two slashes after the colon are no part of the path, so that a path with two slashes needs
    // four.
    const slashes = endpoint.path.startsWith('//') ? '//' : '';
    return `${scheme}+unix:${slashes}${encodeURI(endpoint.path).replaceAll('?', '%3F')}`;
  }
  return `${scheme}://${isIPv6(endpoint.host) ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
}

/** Returns true if only clients on this machine can reach the endpoint. */
export function isLocalOnly(endpoint: Endpoint): boolean {
  if ('path' in endpoint || endpoint.host === 'localhost') return true;
  const { host } = endpoint;
  const version = isIP(host);
  return version !== 0 && isLocal({ family: version === 6 ? 'IPv6' : 'IPv4', address: host });
}

function decode(path: string, url: string): string {
  try {
    return decodeURIComponent(path);
  } catch {
    throw misunderstood(url, 'a % stands before two hexadecimal digits');
  }
}

function misunderstood(url: string, why?: string): TypeError {
  const expected = 'expected scheme://host:port, scheme://[IPv6 address]:port or scheme+unix:/path';
  return new TypeError(`${url}: ${why === undefined ? '' : `${why}; `}${expected}`);
}

const TCP = /^([a-z][a-z0-9.-]*):\/\/(?:\[([^\]]*)\]|([^\s:/@[\]]+))(?::(\d{1,5}))?\/?$/i;
