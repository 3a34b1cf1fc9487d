import { UnauthorizedLogin } from '@postern/cred';
import { NO_BYTES } from '../../bytes.ts';
import type { Challenger } from '../../challenger.ts';
import { MalformedResponse } from '../../errors.ts';
import { preparedName } from '../../prepared-name.ts';
import { firstBinding, unusedBindings, useBinding } from '../../scram/channel-binding.ts';
import { HashedToken } from './credentials.ts';
import { BINDING_TYPES, HT_STRENGTHS, type HtBinding } from './hashed-token.ts';

/** The choice among the mechanisms of the HT family. */
export interface HtOptions {
  /** The channel binding of the exchange. */
  readonly binding: HtBinding;
}

/**
 * Returns the challenger of HT-SHA-256 (draft-schmaus-kitten-sasl-ht): the client proves in one
 * round trip that it has a token of the server. The draft still changes. Without a channel binding
 * the client's message is the same each time.
 */
export function ht({ binding }: HtOptions): Challenger<HashedToken> {
  const type = BINDING_TYPES[binding];
  return {
    mechanism: `HT-SHA-256-${binding}`,
    credentials: HashedToken,
    exposesSecret: type === undefined,
    strength: HT_STRENGTHS[binding],
    bindsToChannel: type !== undefined,
    unavailable(mind) {
      if (type === undefined || firstBinding(mind.tls, unusedBindings(mind, [type])) !== undefined) return undefined;
      return `needs the channel binding ${type}`;
    },
    async challenge(ask, initialResponse, mind) {
      const message = initialResponse ?? (await ask(NO_BYTES));
      const end = message.length - 1 - PROOF_LENGTH;
      if (end < 0 || message.indexOf(0) !== end) {
        throw new MalformedResponse('an HT message is a user name, NUL and 32 bytes');
      }
      const username = preparedName(message.subarray(0, end), 'user name');
      const found = type && firstBinding(mind.tls, unusedBindings(mind, [type]));
      if (type !== undefined && found === undefined) throw new UnauthorizedLogin(`no channel binding ${type}`);
      if (type !== undefined) useBinding(mind, type);
      return new HashedToken(username, message.slice(end + 1), found?.data ?? NO_BYTES, ask);
    },
  };
}

const PROOF_LENGTH = 32;
