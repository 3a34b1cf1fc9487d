import { isIPv6 } from 'node:net';

/** Where a server listens, or a client connects to. */
export type Endpoint = TcpEndpoint | UnixEndpoint;

/** An endpoint of TCP. */
export interface TcpEndpoint {
  /** What the address is for, as in a URL: `smtp`, `lmtps`. Connecting does not ask; for listening see `tlsPolicy`. */
  readonly scheme?: string;
  /** A name or an address, IPv6 without brackets. `*` is every address of this machine. */
  readonly host: string;
  /** 0 lets the system choose one. */
  readonly port: number;
}

/** A UNIX socket, by the path of its file. */
export interface UnixEndpoint {
  readonly scheme?: string;
  readonly path: string;
}

/** An endpoint as it stands in a URL, with what was asked of it behind the question mark. */
export type ParsedEndpoint = Endpoint & { readonly scheme: string; readonly parameters: URLSearchParams };

/**
 * Reads `scheme://host:port?parameters` or `scheme+unix:path?parameters`. An IPv6 address stands in brackets; the port may be left out
 * if the scheme has one by default. Throws a TypeError that says what was expected.
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
  if (inBrackets !== undefined && !isIPv6(inBrackets)) throw misunderstood(url, `${inBrackets} is no IPv6 address`);
  const port = digits === undefined ? defaultPorts.get(scheme.toLowerCase()) : Number(digits);
  if (port === undefined) throw misunderstood(url, 'the port is missing');
  if (port > 65_535) throw misunderstood(url, `${port} is no port`);
  return { scheme: scheme.toLowerCase(), host, port, parameters };
}

/** The endpoint as a URL; the scheme is `tcp` if it has none. */
export function formatEndpoint(endpoint: Endpoint): string {
  const scheme = endpoint.scheme ?? 'tcp';
  if ('path' in endpoint) {
    // A path that begins with two slashes would lose them: the first two of the URL are no part of the path.
    const slashes = endpoint.path.startsWith('//') ? '//' : '';
    return `${scheme}+unix:${slashes}${encodeURI(endpoint.path).replaceAll('?', '%3F')}`;
  }
  return `${scheme}://${isIPv6(endpoint.host) ? `[${endpoint.host}]` : endpoint.host}:${endpoint.port}`;
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
