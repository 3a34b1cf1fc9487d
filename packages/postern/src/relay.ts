import { type RelayOptions as NextOptions, relay as relayTo } from '@postern/relay';
import { passwordResponders } from '@postern/sasl/client';
import { type NextServer, parseNextServer } from './next-server.ts';
import { Place } from './place.ts';
import { unknownName } from './shape.ts';
import { UsageError } from './usage-error.ts';

/** The next server, and how to log in there. What is left out has @postern/relay's default; troubles go to the log. */
export interface RelayOptions extends Partial<Omit<NextOptions, 'endpoint' | 'lmtp' | 'tls'>> {
  /** As `--deliver` takes it: `smtp:HOST:PORT`, `smtps:HOST:PORT`, `lmtp:HOST:PORT`, `lmtp+unix:PATH`, with `?tls=` if wanted. */
  readonly to: string;
  /** Logs in with this name and `password`, by the strongest mechanism that the server offers. */
  readonly username?: string;
  readonly password?: string | undefined;
}

/** Hands messages on to the next server, for `deliver` in the config file. Throws a UsageError. */
export function relay(given: RelayOptions): Place {
  const unknown = unknownName(given, OPTIONS);
  if (unknown !== undefined) {
    throw new UsageError(`relay: expected ${Object.keys(OPTIONS).join(', ')}, not ${JSON.stringify(unknown)}`);
  }
  const { to, username, password, ...options } = given;
  const nextServer = nextServerOf(to);
  if ((username === undefined) !== (password === undefined)) {
    throw new UsageError('relay: expected username and password, or neither');
  }
  const responders =
    username === undefined || password === undefined ? {} : { responders: passwordResponders({ username, password }) };
  return new Place(({ log, hostname }) => {
    const onTrouble = (error: unknown) => log.error('the next server did not take a message', { to, error });
    try {
      return relayTo({ hostname, onTrouble, ...responders, ...options, ...nextServer });
    } catch (error) {
      if (error instanceof RangeError) throw new UsageError(`relay: ${error.message}`, { cause: error });
      throw error;
    }
  });
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
  guests: true,
  responders: true,
  cleartext: true,
  ca: true,
  serverName: true,
  certificate: true,
  minVersion: true,
  maxVersion: true,
  hostname: true,
  connections: true,
  maxMessagesPerConnection: true,
  idleTime: true,
  connectTime: true,
  patience: true,
  finalPatience: true,
  onTrouble: true,
  trace: true,
  connect: true,
  clock: true,
};
