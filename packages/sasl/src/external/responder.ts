import { field, sayLast } from '../client/dialogue.ts';
import type { AuthorizationOptions, Responder } from '../client/responder.ts';
import { STRENGTH } from '../strength.ts';

/**
 * Returns the responder of EXTERNAL (RFC 4422 App. A): the server takes the identity that the
 * channel has established, such as that of a TLS certificate.
 */
export function externalResponder({ authzid = '' }: AuthorizationOptions = {}): Responder {
  return {
    mechanism: 'EXTERNAL',
    exposesSecret: false,
    strength: STRENGTH.certificate,
    unavailable: ({ tls, secure }) => (tls || secure ? undefined : 'the channel establishes no identity'),
    respond: async (say) => sayLast(say, field(authzid, 'authorization identity')),
  };
}
