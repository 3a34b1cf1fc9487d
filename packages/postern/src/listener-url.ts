import { UsageError } from './usage-error.ts';

/** What a listener's URL says; undefined is what it does not say. */
export interface ListenerUrl {
  readonly scheme: 'smtp' | 'smtps';
  /** A name, an IPv4 address, or an IPv6 address without brackets. */
  readonly host: string;
  /** 0 picks one that is free. */
  readonly port: number;
  readonly tls: 'required' | 'none' | undefined;
  readonly auth: 'required' | 'optional' | undefined;
}

/** Parses `smtp://HOST:PORT` or `smtps://HOST:PORT`, with `?tls=` and `?auth=`. Throws a UsageError. */
export function parseListenerUrl(text: string): ListenerUrl {
  const match = GRAMMAR.exec(text);
  if (match === null) throw new UsageError(`expected ${LISTENER_USAGE}`);
  const { scheme, v6, name, digits, query = '' } = match.groups ?? {};

  const port = Number(digits);
  if (port > 65535) throw new UsageError('expected a port from 0 to 65535');
  if (v6 !== undefined && !URL.canParse(`http://[${v6}]`))
    throw new UsageError('expected an IPv6 address in the brackets');

  const parameters = new Map<string, string>();
  for (const [key, value] of new URLSearchParams(query)) {
    if (parameters.has(key)) throw new UsageError(`expected ${key}= only once`);
    parameters.set(key, value);
  }
  const tls = oneOf(parameters, 'tls', ['required', 'none']);
  const auth = oneOf(parameters, 'auth', ['required', 'optional']);
  for (const key of parameters.keys())
    throw new UsageError(`expected tls= or auth= after the ?, not ${JSON.stringify(key)}`);
  if (scheme === 'smtps' && tls === 'none')
    throw new UsageError('expected no tls=none with smtps://, which is TLS from the first byte');
  return { scheme: scheme === 'smtps' ? 'smtps' : 'smtp', host: v6 ?? name ?? '', port, tls, auth };
}

/** The URL, without parameters, as it is printed: with the real port. */
export function formatListenerUrl(scheme: string, host: string, port: number): string {
  return `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`;
}

function oneOf<const V extends string>(
  parameters: Map<string, string>,
  key: string,
  values: readonly V[],
): V | undefined {
  const value = parameters.get(key);
  if (value === undefined) return undefined;
  parameters.delete(key);
  const found = values.find((one) => one === value);
  if (found === undefined) throw new UsageError(`expected ${key}=${values.join(` or ${key}=`)}`);
  return found;
}

/** How a listener is written, for help and errors. */
export const LISTENER_USAGE =
  'smtp://HOST:PORT or smtps://HOST:PORT, with ?tls=required|none and &auth=required|optional if wanted';

const GRAMMAR =
  /^(?<scheme>smtps?):\/\/(?:\[(?<v6>[0-9A-Fa-f:.]+)\]|(?<name>[A-Za-z0-9._-]+)):(?<digits>\d{1,5})\/?(?:\?(?<query>.*))?$/;
