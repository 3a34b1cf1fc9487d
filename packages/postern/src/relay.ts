import type { RelayOptions as DeliveryOptions } from '@postern/relay';
import { passwordResponders, type UserPassword } from '@postern/sasl/client';
import { DeliveryTarget } from './delivery-target.ts';
import { UsageError } from './errors.ts';
import { type NextServer, parseNextServer } from './next-server.ts';
import { expectKnownNames, isHostname } from './option-values.ts';

/**
 * The next server and the login there. All further options are those of `relay()` in
 * `@postern/relay`, with the defaults there; errors go to the command's log.
 */
export interface RelayOptions extends Partial<Omit<DeliveryOptions, 'endpoint' | 'lmtp' | 'tls'>> {
  /**
   * The next server as `--deliver` takes it: `smtp:HOST:PORT`, `smtps:HOST:PORT`, `lmtp:HOST:PORT`
   * or `lmtp+unix:PATH`, with `?tls=required|offered|none` if wanted.
   */
  readonly to: string;
  /**
   * The user name for a login with `password`, by the strongest mechanism that the server offers.
   */
  readonly username?: string;
  readonly password?: string | undefined;
  /** The mechanisms that the login may use: `['PLAIN']`. Default: every mechanism for passwords. */
  readonly mechanisms?: readonly string[];
}

/**
 * Sends messages to the next server: for `deliver` and `notify` in the config file.
 *
 * @example
 * ```ts
 * import { defineConfig, relay } from 'postern';
 *
 * export default defineConfig({
 *   deliver: relay({
 *     to: 'smtp:smtp.example.net:587',
 *     username: 'relay',
 *     password: process.env['RELAY_PASSWORD'] ?? '',
 *   }),
 * });
 * ```
 *
 * @throws UsageError for an option that is unknown or cannot work.
 */
export function relay(options: RelayOptions): DeliveryTarget {
  expectKnownNames('relay', options, OPTION_NAMES);
  const { to, username, password, mechanisms, ...others } = options;
  const nextServer = parseTo(to);
  if ((username === undefined) !== (password === undefined)) {
    throw new UsageError('relay: expected username and password, or neither');
  }
  if (others.ehlo !== undefined && !isHostname(others.ehlo)) {
    throw new UsageError('relay: ehlo: expected a domain, or an address as [192.0.2.1] or [IPv6:2001:db8::1]');
  }
  const responders =
    username === undefined || password === undefined ? {} : respondersFor({ username, password }, mechanisms);
  if (mechanisms !== undefined && username === undefined) {
    throw new UsageError('relay: mechanisms: expected username and password as well');
  }
  return new DeliveryTarget(async ({ log, hostname }) => {
    const { relay: relayDelivery } = await import('@postern/relay');
    const onError = (error: unknown) => log.error('the next server did not take a message', { to, error });
    try {
      return relayDelivery({ hostname, onError, ...responders, ...others, ...nextServer });
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(`relay: ${error.message}`, { cause: error });
      throw error;
    }
  });
}

function respondersFor(user: UserPassword, mechanisms: readonly string[] | undefined) {
  const responders = passwordResponders(user);
  if (mechanisms === undefined) return { responders };
  const known = new Set(responders.map(({ mechanism }) => mechanism));
  const wanted = new Set(Array.from(mechanisms, (name) => name.toUpperCase()));
  const unknown = [...wanted].find((name) => !known.has(name));
  if (unknown !== undefined || wanted.size === 0) {
    const mistake = unknown === undefined ? 'an empty list' : JSON.stringify(unknown);
    throw new UsageError(`relay: mechanisms: expected some of ${[...known].join(', ')}, not ${mistake}`);
  }
  return { responders: responders.filter(({ mechanism }) => wanted.has(mechanism)) };
}

function parseTo(to: string): NextServer {
  try {
    return parseNextServer(to);
  } catch (error) {
    throw new UsageError(`relay: to: ${(error as Error).message}`, { cause: error });
  }
}

/** The type requires every option. */
const OPTION_NAMES: Readonly<Record<keyof RelayOptions, true>> = {
  to: true,
  username: true,
  password: true,
  mechanisms: true,
  allowAnonymous: true,
  responders: true,
  allowCleartext: true,
  ca: true,
  serverName: true,
  certificate: true,
  minVersion: true,
  maxVersion: true,
  hostname: true,
  ehlo: true,
  loginFailureDelay: true,
  maxConnections: true,
  maxClientShare: true,
  maxWaiting: true,
  spoolDirectory: true,
  maxSpoolOctets: true,
  maxMessagesPerConnection: true,
  idleTimeout: true,
  connectTimeout: true,
  readTimeout: true,
  dataTimeout: true,
  onError: true,
  logDialogue: true,
  connect: true,
  clock: true,
};
