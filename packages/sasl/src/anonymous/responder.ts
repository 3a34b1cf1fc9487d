import { encodeUtf8 } from '../bytes.ts';
import { sayLast } from '../client/dialogue.ts';
import { SaslFailure } from '../client/errors.ts';
import type { Responder } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';
import { isTrace } from './trace.ts';

/** What a client without a name says of itself. */
export interface AnonymousResponderOptions {
  /** An e-mail address, or up to 255 characters without `@`. Default: none; whoever reads the server's log reads it. */
  readonly trace?: string;
}

/** ANONYMOUS (RFC 4505): asks to come in without a name. */
export function anonymousResponder({ trace = '' }: AnonymousResponderOptions = {}): Responder {
  return {
    mechanism: 'ANONYMOUS',
    exposesSecret: false,
    strength: STRENGTH.none,
    async respond(say) {
      if (!isTrace(trace)) throw new SaslFailure('the trace is too long or holds what RFC 4505 prohibits');
      await sayLast(say, encodeUtf8(trace));
    },
  };
}
