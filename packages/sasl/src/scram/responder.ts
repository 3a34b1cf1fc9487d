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

/** The options of SCRAM on a client. */
export interface ScramResponderOptions extends UserPassword, AuthorizationOptions {
  readonly hash: ScramHash;
  /** The mechanism with `-PLUS`, which requires channel binding. Default: false. */
  readonly plus?: boolean;
  /**
   * The lowest iteration count that the client answers. A proof with fewer iterations makes guesses
   * cheap. Default: 4,096.
   */
  readonly minIterations?: number;
  /**
   * The highest iteration count that the client answers: it bounds the client's work. Default:
   * 1,000,000.
   */
  readonly maxIterations?: number;
  /**
   * The channel binding types to use, the best first. Default: {@link DEFAULT_CHANNEL_BINDINGS}.
   */
  readonly channelBindings?: readonly ChannelBindingType[];
  /** Returns the client's nonce. For tests only. */
  readonly nonce?: () => string;
}

/**
 * Returns the responder of a SCRAM mechanism (RFC 5802, RFC 7677). The server must prove that it
 * knows the user. A success without that proof is a SaslFailure. A wrong proof is an
 * AuthenticationFailure, so that an impostor sees no password in the next mechanism.
 */
export function scramResponder(options: ScramResponderOptions): Responder {
  const { hash, plus = false, channelBindings = DEFAULT_CHANNEL_BINDINGS, nonce = randomNonces() } = options;
  const mechanism = SCRAM_HASHES[hash].mechanism;
  const keysFor = cachingKeys(hash);
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
      const username = preparedQuery(options.username, 'user name');
      const authzid = options.authzid ? preparedQuery(options.authzid, 'authorization identity') : undefined;
      const password = preparePassword(options.password);
      if (password === undefined) throw new SaslFailure('the password is empty, too long, or contains NUL');
      const binding = firstBinding(channel.tls, channelBindings);
      if (plus && binding === undefined) throw new SaslFailure('this connection has no channel binding');
      // The channel could bind, but the server offered no -PLUS: it has none, or an attacker
      // removed it from the list. The flag `y` lets the server detect that attacker (RFC 5802 §6).
      const sawNoPlus = binding !== undefined && !offers(channel, `${mechanism}-PLUS`);
      const gs2Header = formatGs2Header(plus ? `p=${binding?.type}` : sawNoPlus ? 'y' : 'n', authzid);
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

/** Returns a name prepared as a query string (RFC 5802 §5.1). `kind` names it in the error. */
function preparedQuery(name: string, kind: string): string {
  const prepared = saslprep(name, 'query');
  if (prepared === undefined) throw new SaslFailure(`SASLprep refuses the ${kind}`);
  return prepared;
}

function offers(channel: Channel, mechanism: string): boolean {
  return channel.offered.some((name) => name.toUpperCase() === mechanism);
}

/**
 * Sends the client-first-message, and returns the server-first-message if the client may answer it.
 */
async function hearServerFirst(
  say: Say,
  clientFirst: string,
  clientNonce: string,
  { minIterations = MIN_ITERATIONS, maxIterations = MAX_ITERATIONS }: ScramResponderOptions,
): Promise<ServerFirst> {
  const serverFirst = parseServerFirst(await sayMore(say, encodeUtf8(clientFirst)));
  if (serverFirst === undefined) throw new SaslFailure('the challenge is not a SCRAM server-first-message');
  const { nonce, iterations } = serverFirst;
  if (!nonce.startsWith(clientNonce) || nonce === clientNonce) {
    throw new SaslFailure('the server added nothing to the nonce');
  }
  if (iterations < minIterations)
    throw new SaslFailure(
      `the server asks for ${iterations} iterations, and the client expects at least ${minIterations}`,
    );
  if (iterations > maxIterations)
    throw new SaslFailure(
      `the server asks for ${iterations} iterations, and the client expects at most ${maxIterations}`,
    );
  return serverFirst;
}

/**
 * Sends the client-final-message, and returns the signature that proves that the server knows the
 * user.
 */
async function hearSignature(say: Say, clientFinal: string): Promise<Uint8Array> {
  const serverFinal = parseServerFinal(await sayMore(say, encodeUtf8(clientFinal)));
  if (serverFinal === undefined) throw new SaslFailure('the challenge is not a SCRAM server-final-message');
  if ('signature' in serverFinal) return serverFinal.signature;
  if (FINAL_ERRORS.has(serverFinal.error)) {
    throw new AuthenticationFailure(`the server refused the credentials: ${serverFinal.error}`);
  }
  throw new SaslFailure('the server ended the exchange with an error');
}

/**
 * Returns a derivation that keeps the keys of the last salt, so that the next login is cheap (RFC
 * 5802 §5.1).
 */
function cachingKeys(hash: ScramHash): (password: string, serverFirst: ServerFirst) => Promise<ScramKeys> {
  let last: { readonly salted: string; readonly keys: Promise<ScramKeys> } | undefined;
  return (password, { salt, iterations }) => {
    const salted = `${iterations} ${Buffer.from(salt).toString('hex')}`;
    if (last?.salted !== salted) last = { salted, keys: deriveKeys(hash, password, salt, iterations) };
    return last.keys;
  };
}

/** The default bound of a client's work. */
const MAX_ITERATIONS = 1_000_000;

/**
 * Errors of RFC 5802 §7 after which the client tries nothing else. The user or the password is
 * wrong, or an attacker in the middle has two channels or removed -PLUS from the list. After other
 * errors another mechanism may succeed.
 */
const FINAL_ERRORS: ReadonlySet<string> = new Set([
  'invalid-proof',
  'unknown-user',
  'invalid-username-encoding',
  'channel-bindings-dont-match',
  'server-does-support-channel-binding',
]);
