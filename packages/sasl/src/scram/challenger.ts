import { randomBytes } from 'node:crypto';
import { after } from '@postern/core';
import type { ChannelBindingType, Mind, RelayedBinding } from '@postern/cred';
import { NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { preparedAuthzid, preparedName } from '../prepared-name.ts';
import {
  bindingData,
  DEFAULT_CHANNEL_BINDINGS,
  firstBinding,
  relayedTypes,
  unusedBindings,
  useBinding,
} from './channel-binding.ts';
import { SCRAM_CREDENTIALS, type ScramCredentials, type ScramExchange } from './credentials.ts';
import { Decoys } from './decoys.ts';
import { SCRAM_HASHES, type ScramHash, scramStrength } from './hashes.ts';
import { type ClientFirst, formatBinding, parseClientFirst } from './messages.ts';
import { randomNonces } from './nonces.ts';
import { checkIterations, DEFAULT_ITERATIONS, DEFAULT_SALT_LENGTH } from './secret.ts';

/** The options of SCRAM on a server. */
export interface ScramOptions {
  readonly hash: ScramHash;
  /** The mechanism with `-PLUS`, which requires channel binding. Default: false. */
  readonly plus?: boolean;
  /**
   * For the mechanism without `-PLUS`: true if the server also offers the one with it. On a
   * connection with channel binding, a client that saw no `-PLUS` (flag `y`) then fails: an
   * attacker has removed it from the list (RFC 5802 §6). Default: false.
   */
  readonly plusOffered?: boolean;
  /**
   * For the mechanism without `-PLUS`: true to make it unavailable under TLS, where clients of GNU
   * SASL refuse it. Default: false.
   */
  readonly onlyWithoutTls?: boolean;
  /**
   * The channel binding types that the server accepts. Default: {@link DEFAULT_CHANNEL_BINDINGS}.
   */
  readonly channelBindings?: readonly ChannelBindingType[];
  /** Accepts tls-exporter more than once on a connection, against RFC 9266 §4.1. Default: false. */
  readonly reuseExporter?: boolean;
  /**
   * The server key, from which the salts of unknown users derive: at least 32 random bytes. All
   * machines of a service use the same key, and keep it over restarts. Default: one for the
   * process.
   */
  readonly key?: Uint8Array;
  /**
   * The iteration count for unknown users and for users with clear-text passwords. Use that of new
   * secrets. Default: 60,000.
   */
  readonly iterations?: number;
  /** The length of their salts in bytes, from 8 to 64. Use that of stored secrets. Default: 16. */
  readonly saltLength?: number;
  /**
   * Returns the form of a prepared name that the store looks up, such as lower case. All spellings
   * of an unknown name then have one salt, as those of a known name do. Default: the name itself.
   */
  readonly canonical?: (username: string) => string;
  /** Returns the server's nonce. For tests only. */
  readonly nonce?: () => string;
}

/**
 * Returns the challenger of a SCRAM mechanism (RFC 5802, RFC 7677). `challenge` reads the
 * client-first-message; the credentials run the rest of the exchange with the user's secret.
 *
 * @throws RangeError for a key below 32 bytes, a salt length outside 8 to 64, or an iteration count
 * below 4,096.
 *
 * @example
 * ```ts
 * import { scram } from '@postern/sasl';
 *
 * export const challenger = scram({ hash: 'sha256', plus: true });
 * ```
 */
export function scram(options: ScramOptions): Challenger<ScramCredentials> {
  const { hash, plus = false, onlyWithoutTls = false, nonce = randomNonces() } = options;
  const credentials = SCRAM_CREDENTIALS[hash];
  const decoys = decoysOf(options);
  return {
    mechanism: `${SCRAM_HASHES[hash].mechanism}${plus ? '-PLUS' : ''}`,
    credentials,
    exposesSecret: false,
    strength: scramStrength(hash, plus),
    bindsToChannel: plus,

    unavailable(mind) {
      if (onlyWithoutTls && mind.tls !== undefined) return REFUSED_BY_CLIENTS;
      return plus && !hasBinding(mind, options) ? 'needs channel binding' : undefined;
    },

    challenge: (ask, initialResponse, mind) =>
      after(initialResponse ?? ask(NO_BYTES), (message) => {
        const first = parseClientFirst(message);
        if (first === undefined) throw new MalformedResponse('not a SCRAM client-first-message');
        const username = preparedName(first.username, 'user name');
        return new credentials({
          hash,
          username,
          authzid: preparedAuthzid(first.authzid ?? '', username),
          clientFirstBare: first.bare,
          nonce: first.nonce + nonce(),
          binding: requiredBinding(first, mind, options),
          decoys,
          ask,
        });
      }),
  };
}

/**
 * Returns the `c` attribute that this client must send. Returns undefined if the server must refuse
 * the client whatever it sends (RFC 5802 §6).
 */
function requiredBinding(first: ClientFirst, mind: Mind, options: ScramOptions): ScramExchange['binding'] {
  const { flag, bindingType, gs2Header } = first;
  if (bindingType === undefined) {
    if (options.plus) return undefined;
    if (flag === 'y' && options.plusOffered && wasPlusOffered(mind, options)) return undefined;
    return formatBinding(gs2Header);
  }
  const { relayedBinding } = mind;
  if (relayedBinding !== undefined) return requestBinding(relayedBinding, first, options);
  const data = bindingData(mind.tls, bindingType, typesOf(mind, options));
  if (data === undefined) return undefined;
  useBinding(mind, bindingType);
  return formatBinding(gs2Header, data);
}

/** Requests the data from the server that has the client's TLS: it comes with the proof. */
function requestBinding(
  relayed: RelayedBinding,
  { bindingType, gs2Header }: ClientFirst,
  options: ScramOptions,
): ScramExchange['binding'] {
  const type = relayedTypes(options.channelBindings).find((accepted) => accepted === bindingType);
  if (type === undefined) return undefined;
  const dataOf = relayed.request(type);
  return () => {
    const data = dataOf();
    return data === undefined || data.length === 0 ? undefined : formatBinding(gs2Header, data);
  };
}

/** Returns true if a client on this connection could see a -PLUS mechanism that is offered. */
function wasPlusOffered(mind: Mind, options: ScramOptions): boolean {
  return hasBinding(mind, options) && mind.relayedBinding?.isOffered !== false;
}

function hasBinding(mind: Mind, options: ScramOptions): boolean {
  if (mind.relayedBinding !== undefined) return relayedTypes(options.channelBindings).length > 0;
  // The test of TLS comes first: a connection whose store nothing accesses has none.
  return mind.tls !== undefined && firstBinding(mind.tls, typesOf(mind, options)) !== undefined;
}

function typesOf(mind: Mind, options: ScramOptions): readonly ChannelBindingType[] {
  const { channelBindings = DEFAULT_CHANNEL_BINDINGS, reuseExporter = false } = options;
  return reuseExporter ? channelBindings : unusedBindings(mind, channelBindings);
}

function decoysOf({
  hash,
  key = PROCESS_KEY,
  iterations = DEFAULT_ITERATIONS,
  saltLength = DEFAULT_SALT_LENGTH,
  canonical = (username) => username,
}: ScramOptions): Decoys {
  if (key.length < 32) throw new RangeError(`key: expected 32 bytes or more, not ${key.length}`);
  if (!Number.isInteger(saltLength) || saltLength < 8 || saltLength > 64) {
    throw new RangeError(`saltLength: expected 8 to 64, not ${saltLength}`);
  }
  checkIterations(iterations);
  return new Decoys({ hash, key, iterations, saltLength, canonical });
}

/**
 * One key for all challengers: a name has the same salt with and without -PLUS, as a user with a
 * stored secret has.
 */
const PROCESS_KEY = randomBytes(32);

const REFUSED_BY_CLIENTS = 'under TLS it would shut out msmtp, mpop and gsasl, unless channel binding is offered';
