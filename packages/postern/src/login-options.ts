import { readFile } from 'node:fs/promises';
import { type ParsedEndpoint, parseEndpoint } from '@postern/node';
import { UsageError } from './errors.ts';
import { LOGIN_OPTIONS, parseArguments } from './option-table.ts';
import { isHostname } from './option-values.ts';

/** The parsed arguments of `postern login`. */
export interface LoginOptions {
  readonly endpoint: ParsedEndpoint;
  readonly user: string;
  /** In upper case. Undefined lets the client choose. */
  readonly mechanism: string | undefined;
  readonly authzid: string | undefined;
  /** Certificate authorities in PEM form. Undefined for Node's. */
  readonly ca: string | undefined;
  /** The client's name for EHLO. Undefined for the machine's name, or its address. */
  readonly ehlo: string | undefined;
}

/**
 * Parses the arguments of `postern login`.
 *
 * @throws UsageError
 */
export async function parseLoginOptions(argv: readonly string[]): Promise<LoginOptions> {
  const { values, positionals } = parseArguments(argv, LOGIN_OPTIONS, 'login');
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0) throw new UsageError(`expected one URL, ${URLS}`);
  if (!values.user) throw new UsageError('--user: expected the name of the user');
  if (values.ehlo !== undefined && !isHostname(values.ehlo)) {
    throw new UsageError('--ehlo: expected a domain, or an address as [192.0.2.1] or [IPv6:2001:db8::1]');
  }
  return {
    endpoint: endpointOf(url),
    user: values.user,
    mechanism: values.mechanism?.toUpperCase(),
    authzid: values.authzid,
    ehlo: values.ehlo,
    ca: values.ca === undefined ? undefined : await readCa(values.ca),
  };
}

function endpointOf(url: string): ParsedEndpoint {
  let endpoint: ParsedEndpoint;
  try {
    endpoint = parseEndpoint(url, DEFAULT_PORTS);
  } catch (error) {
    throw new UsageError(`expected ${URLS}`, { cause: error });
  }
  const { scheme, parameters } = endpoint;
  if (!DEFAULT_PORTS.has(scheme)) throw new UsageError(`expected ${URLS}`);
  for (const [key, value] of parameters) {
    if (key !== 'tls' || value !== 'none' || scheme === 'smtps') throw new UsageError(`expected ${URLS}`);
  }
  return endpoint;
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--ca: expected a readable file: ${(error as Error).message}`, { cause: error });
  }
}

const URLS = 'smtp://HOST[:PORT] (STARTTLS, unless ?tls=none) or smtps://HOST[:PORT]';
/** RFC 8314 §7. */
const DEFAULT_PORTS: ReadonlyMap<string, number> = new Map([
  ['smtp', 587],
  ['smtps', 465],
]);
