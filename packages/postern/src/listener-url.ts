import { parseEndpoint, type TcpEndpoint } from '@postern/node';
import { UsageError } from './usage-error.ts';

/** What a listener's URL says; undefined is what it does not say. */
export interface ListenerUrl {
  readonly endpoint: TcpEndpoint & { readonly scheme: 'smtp' | 'smtps' };
  readonly tls: 'required' | 'none' | undefined;
  readonly auth: 'required' | 'optional' | undefined;
}

/** Parses `smtp://HOST:PORT` or `smtps://HOST:PORT`, with `?tls=` and `?auth=`. Port 0 picks one. Throws a UsageError. */
export function parseListenerUrl(url: string): ListenerUrl {
  const { endpoint, parameters } = parse(url);
  const tls = take(parameters, 'tls', ['required', 'none']);
  const auth = take(parameters, 'auth', ['required', 'optional']);
  for (const key of parameters.keys())
    throw new UsageError(`expected tls= or auth= after the ?, not ${JSON.stringify(key)}`);
  if (endpoint.scheme === 'smtps' && tls === 'none') {
    throw new UsageError('expected no tls=none with smtps://, which is TLS from the first byte');
  }
  return { endpoint, tls, auth };
}

function parse(url: string): { endpoint: ListenerUrl['endpoint']; parameters: URLSearchParams } {
  try {
    const { scheme, parameters, ...where } = parseEndpoint(url);
    if ((scheme === 'smtp' || scheme === 'smtps') && 'host' in where)
      return { endpoint: { ...where, scheme }, parameters };
  } catch (error) {
    throw new UsageError(`expected ${LISTENER_USAGE}`, { cause: error });
  }
  throw new UsageError(`expected ${LISTENER_USAGE}`);
}

/** Takes a parameter out, once and with one of these values. */
function take<const V extends string>(parameters: URLSearchParams, key: string, values: readonly V[]): V | undefined {
  const [value, ...more] = parameters.getAll(key);
  if (value === undefined) return undefined;
  const known = values.find((one) => one === value);
  if (known === undefined || more.length > 0)
    throw new UsageError(`expected ${key}=${values.join(` or ${key}=`)}, once`);
  parameters.delete(key);
  return known;
}

/** How a listener is written, for errors. */
const LISTENER_USAGE =
  'smtp://HOST:PORT or smtps://HOST:PORT (an IPv6 address in brackets), with ?tls=required|none and &auth=required|optional if wanted';
