import { randomBytes } from 'node:crypto';
import type { ChannelBindingType, Mind } from '@postern/cred';
import { NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { preparedAuthzid, preparedName } from '../prepared-name.ts';
import { bindingData, DEFAULT_CHANNEL_BINDINGS, firstBinding, unusedBindings, useBinding } from './channel-binding.ts';
import { SCRAM_CREDENTIALS, type ScramCredentials } from './credentials.ts';
import { Decoys } from './decoys.ts';
import { SCRAM_HASHES, type ScramHash, scramStrength } from './hashes.ts';
import { type ClientFirst, formatBinding, parseClientFirst } from './messages.ts';
import { randomNonces } from './nonces.ts';
import { checkIterations, DEFAULT_ITERATIONS, DEFAULT_SALT_LENGTH } from './secret.ts';

/** How a server does SCRAM. */
export interface ScramOptions {
  readonly hash: ScramHash;
  /** The mechanism with `-PLUS`, which requires channel binding. Default: false. */
  readonly plus?: boolean;
  /**
   * For the mechanism without `-PLUS`: true if the one with it stands beside this one. A client that says it saw none (`y`) then
   * fails wherever there is channel binding: somebody took it off the list (RFC 5802 §6). Default: false.
   */
  readonly plusOffered?: boolean;
  /** For the mechanism without `-PLUS`: true to make it unavailable under TLS, where clients of GNU SASL refuse it. Default: false. */
  readonly onlyWithoutTls?: boolean;
  /** The channel binding types that are taken. Default: {@link DEFAULT_CHANNEL_BINDINGS}. */
  readonly channelBindings?: readonly ChannelBindingType[];
  /** Takes tls-exporter more than once on a connection, against RFC 9266 §4.1. Default: false. */
  readonly reuseExporter?: boolean;
  /**
   * The server key, 32 random bytes or more, from which the salts of unknown users follow: the same on all machines of a service,
   * and kept over restarts. Default: one that lasts as long as the process.
   */
  readonly key?: Uint8Array;
  /** What unknown users, and users with clear-text passwords, are challenged with; best what new secrets have. Default: 60,000. */
  readonly iterations?: number;
  /** Bytes of their salts, from 8 to 64; best what stored secrets have. Default: 16. */
  readonly saltLength?: number;
  /**
   * What the store makes of a prepared name before it looks for it, such as lower case: for an unknown user as well, names that are
   * one have one salt. Default: nothing.
   */
  readonly canonical?: (username: string) => string;
  /** Where the server's nonces come from: for tests only. */
  readonly nonce?: () => string;
}

/** The server's half of a SCRAM mechanism (RFC 5802, RFC 7677). Throws a RangeError for options that cannot be. */
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

    async challenge(ask, initialResponse, mind) {
      const first = parseClientFirst(initialResponse ?? (await ask(NO_BYTES)));
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
    },
  };
}

/** The `c` attribute that this client has to send; undefined if whatever it sends it must not get in (RFC 5802 §6). */
function requiredBinding(first: ClientFirst, mind: Mind, options: ScramOptions): string | undefined {
  const { flag, bindingType, gs2Header } = first;
  if (bindingType === undefined) {
    if (options.plus) return undefined;
    if (flag === 'y' && options.plusOffered && hasBinding(mind, options)) return undefined;
    return formatBinding(gs2Header);
  }
  const data = bindingData(mind.tls, bindingType, typesOf(mind, options));
  if (data === undefined) return undefined;
  useBinding(mind, bindingType);
  return formatBinding(gs2Header, data);
}

function hasBinding(mind: Mind, options: ScramOptions): boolean {
  // First, since a connection that is not asked for its store has none.
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
  if (key.length < 32) throw new RangeError('the server key of SCRAM has 32 bytes or more');
  if (!Number.isInteger(saltLength) || saltLength < 8 || saltLength > 64) {
    throw new RangeError('the salts of SCRAM have 8 to 64 bytes');
  }
  checkIterations(iterations);
  return new Decoys({ hash, key, iterations, saltLength, canonical });
}

/** One for all, so that a name has the same salt under each mechanism of a hash, as a user with a stored secret has. */
const PROCESS_KEY = randomBytes(32);

const REFUSED_BY_CLIENTS = 'under TLS it would shut out msmtp and gsasl, unless channel binding is offered';
