import { timingSafeEqual } from 'node:crypto';
import { NO_BYTES } from '../../bytes.ts';
import { filledField, sayLast, sayMore } from '../../client/dialogue.ts';
import { AuthenticationFailure, SaslFailure } from '../../client/errors.ts';
import type { Responder } from '../../client/responder.ts';
import { firstBinding } from '../../scram/channel-binding.ts';
import { BINDING_TYPES, HT_STRENGTHS, type HtBinding, hashedToken } from './hashed-token.ts';

/** The options of a mechanism of the HT family on a client. */
export interface HtResponderOptions {
  readonly username: string;
  /** The token that the server issued. */
  readonly token: Uint8Array;
  /** The channel binding of the exchange. */
  readonly binding: HtBinding;
}

/**
 * Returns the responder of HT-SHA-256 (draft-schmaus-kitten-sasl-ht). The server must prove that it
 * knows the token as well.
 */
export function htResponder({ username, token, binding }: HtResponderOptions): Responder {
  const type = BINDING_TYPES[binding];
  return {
    mechanism: `HT-SHA-256-${binding}`,
    exposesSecret: type === undefined,
    strength: HT_STRENGTHS[binding],
    unavailable({ tls }) {
      if (type === undefined || firstBinding(tls, [type]) !== undefined) return undefined;
      return `needs the channel binding ${type}`;
    },
    async respond(say, { tls }) {
      const found = type && firstBinding(tls, [type]);
      if (type !== undefined && found === undefined) throw new SaslFailure(`no channel binding ${type}`);
      const data = found?.data ?? NO_BYTES;
      const name = filledField(username, 'user name');
      const answer = await sayMore(say, Buffer.concat([name, Uint8Array.of(0), hashedToken(token, 'Initiator', data)]));
      const expected = hashedToken(token, 'Responder', data);
      if (answer.length !== expected.length || !timingSafeEqual(answer, expected)) {
        throw new AuthenticationFailure('the server does not know the token: its proof is wrong');
      }
      await sayLast(say, NO_BYTES);
    },
  };
}
