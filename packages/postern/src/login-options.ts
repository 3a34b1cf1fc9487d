import { readFile } from 'node:fs/promises';
import { parseArgs } from 'node:util';
import { type ParsedEndpoint, parseEndpoint } from '@postern/node';
import { UsageError } from './usage-error.ts';

/** What the options of `login` say. */
export interface LoginOptions {
  readonly endpoint: ParsedEndpoint;
  readonly user: string;
  /** In upper case; undefined lets the client choose. */
  readonly mechanism: string | undefined;
  readonly authzid: string | undefined;
  /** Authorities in PEM form; undefined for those that Node knows. */
  readonly ca: string | undefined;
}

/** Parses the arguments of `postern login`. Throws a UsageError. */
export async function parseLoginOptions(argv: readonly string[]): Promise<LoginOptions> {
  const { values, positionals } = parse(argv);
  const [url, ...more] = positionals;
  if (url === undefined || more.length > 0) throw new UsageError(`expected one URL, ${URLS}`);
  if (!values.user) throw new UsageError('--user: expected the name of the user');
  return {
    endpoint: endpointOf(url),
    user: values.user,
    mechanism: values.mechanism?.toUpperCase(),
    authzid: values.authzid,
    ca: values.ca === undefined ? undefined : await readCa(values.ca),
  };
}

function parse(argv: readonly string[]) {
  try {
    return parseArgs({ args: [...argv], options: OPTIONS, strict: true, allowPositionals: true });
  } catch (error) {
    const [sentence = ''] = (error instanceof Error ? error.message : String(error)).split(/\.? To specify|\n/);
    throw new UsageError(`${sentence}; expected the options that --help shows`, { cause: error });
  }
}

function endpointOf(url: string): ParsedEndpoint {
  let endpoint: ParsedEndpoint;
  try {
    endpoint = parseEndpoint(url, PORTS);
  } catch (error) {
    throw new UsageError(`expected ${URLS}`, { cause: error });
  }
  const { scheme, parameters } = endpoint;
  if (!PORTS.has(scheme)) throw new UsageError(`expected ${URLS}`);
  for (const [key, value] of parameters) {
    if (key !== 'tls' || value !== 'none' || scheme === 'smtps') throw new UsageError(`expected ${URLS}`);
  }
  return endpoint;
}

async function readCa(file: string): Promise<string> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    throw new UsageError(`--ca: expected a file that can be read: ${(error as Error).message}`, { cause: error });
  }
}

const URLS = 'smtp://HOST[:PORT] (STARTTLS, unless ?tls=none) or smtps://HOST[:PORT]';
/** RFC 8314 §7. */
const PORTS: ReadonlyMap<string, number> = new Map([
  ['smtp', 587],
  ['smtps', 465],
]);

const OPTIONS = {
  user: { type: 'string' },
  mechanism: { type: 'string' },
  authzid: { type: 'string' },
  ca: { type: 'string' },
} as const;
