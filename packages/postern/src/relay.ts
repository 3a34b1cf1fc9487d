import { type RelayOptions as NextOptions, relay as relayTo } from '@postern/relay';
import { passwordResponders, type UserPassword } from '@postern/sasl/client';
import { DeliveryTarget } from './delivery-target.ts';
import { isEhloName } from './ehlo-option.ts';
import { type NextServer, parseNextServer } from './next-server.ts';
import { unknownName } from './shape.ts';
import { UsageError } from './usage-error.ts';

/** The next server, and how to log in there. What is left out has @postern/relay's default; troubles go to the log. */
export interface RelayOptions extends Partial<Omit<NextOptions, 'endpoint' | 'lmtp' | 'tls'>> {
  /** As `--deliver` takes it: `smtp:HOST:PORT`, `smtps:HOST:PORT`, `lmtp:HOST:PORT`, `lmtp+unix:PATH`, with `?tls=` if wanted. */
  readonly to: string;
  /** Logs in with this name and `password`, by the strongest mechanism that the server offers. */
  readonly username?: string;
  readonly password?: string | undefined;
  /** The mechanisms that the login may use: `['PLAIN']`. Default: all that a password does for. */
  readonly mechanisms?: readonly string[];
}

/** Hands messages on to the next server, for `deliver` in the config file. Throws a UsageError. */
export function relay(given: RelayOptions): DeliveryTarget {
  const unknown = unknownName(given, OPTIONS);
  if (unknown !== undefined) {
    throw new UsageError(`relay: expected ${Object.keys(OPTIONS).join(', ')}, not ${JSON.stringify(unknown)}`);
  }
  const { to, username, password, mechanisms, ...options } = given;
  const nextServer = nextServerOf(to);
  if ((username === undefined) !== (password === undefined)) {
    throw new UsageError('relay: expected username and password, or neither');
  }
  if (options.ehlo !== undefined && !isEhloName(options.ehlo)) {
    throw new UsageError('relay: ehlo: expected a domain, or an address as [192.0.2.1] or [IPv6:2001:db8::1]');
  }
  const responders =
    username === undefined || password === undefined ? {} : respondersFor({ username, password }, mechanisms);
  if (mechanisms !== undefined && username === undefined) {
    throw new UsageError('relay: mechanisms: expected username and password as well');
  }
  return new DeliveryTarget(({ log, hostname }) => {
    const onError = (error: unknown) => log.error('the next server did not take a message', { to, error });
    try {
      return relayTo({ hostname, onError, ...responders, ...options, ...nextServer });
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

function nextServerOf(to: string): NextServer {
  try {
    return parseNextServer(to);
  } catch (error) {
    throw new UsageError(`relay: to: ${(error as Error).message}`, { cause: error });
  }
}

const OPTIONS: Record<keyof RelayOptions, true> = {
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
  trace: true,
  connect: true,
  clock: true,
};
