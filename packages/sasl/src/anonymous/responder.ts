import { encodeUtf8 } from '../bytes.ts';
import { sayLast } from '../client/dialogue.ts';
import { SaslFailure } from '../client/errors.ts';
import type { Responder } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';
import { isTrace } from './trace.ts';

/** The options of ANONYMOUS on a client. */
export interface AnonymousResponderOptions {
  /**
   * An e-mail address, or up to 255 characters without `@`, for the server's log. Default: none.
   */
  readonly trace?: string;
}

/** Returns the responder of ANONYMOUS (RFC 4505): a login without a name. */
export function anonymousResponder({ trace = '' }: AnonymousResponderOptions = {}): Responder {
  return {
    mechanism: 'ANONYMOUS',
    exposesSecret: false,
    strength: STRENGTH.none,
    async respond(say) {
      if (!isTrace(trace)) throw new SaslFailure('the trace is too long or has a character that RFC 4505 prohibits');
      await sayLast(say, encodeUtf8(trace));
    },
  };
}
