import { timingSafeEqual } from 'node:crypto';
import type { ChannelBindingType } from '@postern/cred';
import { encodeUtf8, NO_BYTES } from '../bytes.ts';
import { sayLast, sayMore } from '../client/dialogue.ts';
import { AuthenticationFailure, SaslFailure } from '../client/errors.ts';
import type { AuthorizationOptions, Channel, Responder, Say, UserPassword } from '../client/responder.ts';
import { preparePassword } from '../password.ts';
import { saslprep } from '../saslprep/saslprep.ts';
import { DEFAULT_CHANNEL_BINDINGS, firstBinding } from './channel-binding.ts';
import { SCRAM_HASHES, type ScramHash, scramStrength } from './hashes.ts';
import { HmacKey, withRoom, xor } from './hmac.ts';
import { deriveKeys, type ScramKeys } from './keys.ts';
import {
  formatAuthMessage,
  formatBinding,
  formatClientFinal,
  formatClientFinalWithoutProof,
  formatClientFirstBare,
  formatGs2Header,
  parseServerFinal,
  parseServerFirst,
  type ServerFirst,
} from './messages.ts';
import { randomNonces } from './nonces.ts';
import { MIN_ITERATIONS } from './secret.ts';

/** How a client does SCRAM. */
export interface ScramResponderOptions extends UserPassword, AuthorizationOptions {
  readonly hash: ScramHash;
  /** The mechanism with `-PLUS`, which requires channel binding. Default: false. */
  readonly plus?: boolean;
  /** A server that asks for fewer iterations is not answered: it wants a proof that is easy to guess from. Default: 4096. */
  readonly minIterations?: number;
  /** A server that asks for more is not answered: it wants us to work for nothing. Default: 1,000,000. */
  readonly maxIterations?: number;
  /** The channel binding types that are used, best first. Default: {@link DEFAULT_CHANNEL_BINDINGS}. */
  readonly channelBindings?: readonly ChannelBindingType[];
  /** Where the client's nonces come from: for tests only. */
  readonly nonce?: () => string;
}

/**
 * The client's half of a SCRAM mechanism (RFC 5802, RFC 7677). Its server has to prove that it knows the user as well: a success
 * without that proof is a SaslFailure, one with a wrong proof an AuthenticationFailure: who is an impostor is told no password next.
 */
export function scramResponder(options: ScramResponderOptions): Responder {
  const { hash, plus = false, channelBindings = DEFAULT_CHANNEL_BINDINGS, nonce = randomNonces() } = options;
  const mechanism = SCRAM_HASHES[hash].mechanism;
  const keysFor = rememberingKeys(hash);
  return {
    mechanism: plus ? `${mechanism}-PLUS` : mechanism,
    exposesSecret: false,
    strength: scramStrength(hash, plus),

    unavailable(channel) {
      return plus && firstBinding(channel.tls, channelBindings) === undefined ? 'needs channel binding' : undefined;
    },

    channelBinding(channel) {
      return plus ? firstBinding(channel.tls, channelBindings)?.type : undefined;
    },

    async respond(say, channel) {
      const username = query(options.username, 'user name');
      const authzid = options.authzid ? query(options.authzid, 'authorization identity') : undefined;
      const password = preparePassword(options.password);
      if (password === undefined) throw new SaslFailure('the password is empty, too long, or contains NUL');
      const binding = firstBinding(channel.tls, channelBindings);
      if (plus && binding === undefined) throw new SaslFailure('this connection has no channel binding');
      // A server that could bind to the channel and did not offer it was either old or cut short on the way: it will know.
      const stripped = binding !== undefined && !offers(channel, `${mechanism}-PLUS`);
      const gs2Header = formatGs2Header(plus ? `p=${binding?.type}` : stripped ? 'y' : 'n', authzid);
      const clientNonce = nonce();
      const clientFirstBare = formatClientFirstBare(username, clientNonce);

      const serverFirst = await hearServerFirst(say, gs2Header + clientFirstBare, clientNonce, options);
      const { clientKey, storedKey, serverKey } = await keysFor(password, serverFirst);
      const cbind = formatBinding(gs2Header, plus ? binding?.data : undefined);
      const withoutProof = formatClientFinalWithoutProof(cbind, serverFirst.nonce);
      const authMessage = withRoom(hash, formatAuthMessage(clientFirstBare, serverFirst.message, withoutProof));
      const proof = xor(new HmacKey(hash, storedKey).digest(authMessage), clientKey);

      const signature = await hearSignature(say, formatClientFinal(withoutProof, proof));
      const expected = new HmacKey(hash, serverKey).digest(authMessage);
      if (signature.length !== expected.length || !timingSafeEqual(signature, expected)) {
        throw new AuthenticationFailure('the server does not know the user: its signature is wrong');
      }
      await sayLast(say, NO_BYTES);
    },
  };
}

/** Prepared as a query string (RFC 5802 §5.1). */
function query(given: string, name: string): string {
  const prepared = saslprep(given, 'query');
  if (prepared === undefined) throw new SaslFailure(`SASLprep refuses the ${name}`);
  return prepared;
}

function offers(channel: Channel, mechanism: string): boolean {
  return channel.offered.some((name) => name.toUpperCase() === mechanism);
}

/** The server's first message, if it is one that may be answered. */
async function hearServerFirst(
  say: Say,
  clientFirst: string,
  clientNonce: string,
  { minIterations = MIN_ITERATIONS, maxIterations = MAX_ITERATIONS }: ScramResponderOptions,
): Promise<ServerFirst> {
  const serverFirst = parseServerFirst(await sayMore(say, encodeUtf8(clientFirst)));
  if (serverFirst === undefined) throw new SaslFailure('not a SCRAM server-first-message');
  const { nonce, iterations } = serverFirst;
  if (!nonce.startsWith(clientNonce) || nonce === clientNonce) {
    throw new SaslFailure('the server did not add to the nonce');
  }
  if (iterations < minIterations) throw new SaslFailure(`the server asks for ${iterations} iterations: too few`);
  if (iterations > maxIterations) throw new SaslFailure(`the server asks for ${iterations} iterations: too many`);
  return serverFirst;
}

/** The signature with which the server proves that it knows the user. */
async function hearSignature(say: Say, clientFinal: string): Promise<Uint8Array> {
  const serverFinal = parseServerFinal(await sayMore(say, encodeUtf8(clientFinal)));
  if (serverFinal === undefined) throw new SaslFailure('not a SCRAM server-final-message');
  if ('signature' in serverFinal) return serverFinal.signature;
  if (FINAL_ERRORS.has(serverFinal.error)) {
    throw new AuthenticationFailure(`the server refused the credentials: ${serverFinal.error}`);
  }
  throw new SaslFailure('the server ended the exchange with an error');
}

/** Derives keys of one prepared password, and keeps those of the last salt: who logs in again does not pay again (RFC 5802 §5.1). */
function rememberingKeys(hash: ScramHash): (password: string, serverFirst: ServerFirst) => Promise<ScramKeys> {
  let last: { readonly salted: string; readonly keys: Promise<ScramKeys> } | undefined;
  return (password, { salt, iterations }) => {
    const salted = `${iterations} ${Buffer.from(salt).toString('hex')}`;
    if (last?.salted !== salted) last = { salted, keys: deriveKeys(hash, password, salt, iterations) };
    return last.keys;
  };
}

const MAX_ITERATIONS = 1_000_000;

/**
 * Errors of RFC 5802 §7 after which nothing else is tried: user or password are wrong, or somebody sits in between, who has a channel
 * of its own to each side, or who took -PLUS off the list. After the others another mechanism may do.
 */
const FINAL_ERRORS: ReadonlySet<string> = new Set([
  'invalid-proof',
  'unknown-user',
  'invalid-username-encoding',
  'channel-bindings-dont-match',
  'server-does-support-channel-binding',
]);
