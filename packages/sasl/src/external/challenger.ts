import { after } from '@postern/core';
import { UnauthorizedLogin } from '@postern/cred';
import { NO_BYTES } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { preparedAuthzid } from '../prepared-name.ts';
import { STRENGTH } from '../strength.ts';
import { ExternalIdentity } from './credentials.ts';

/**
 * Returns the challenger of EXTERNAL (RFC 4422 App. A): the client's TLS certificate is its
 * identity.
 */
export function external(): Challenger<ExternalIdentity> {
  return {
    mechanism: 'EXTERNAL',
    credentials: ExternalIdentity,
    exposesSecret: false,
    // The client proves its certificate in the handshake of this very channel.
    bindsToChannel: true,
    strength: STRENGTH.certificate,
    unavailable: ({ tls }) => (tls?.peerCertificate?.verified ? undefined : 'needs a verified client certificate'),
    challenge: (ask, initialResponse, { tls }) =>
      after(initialResponse ?? ask(NO_BYTES), (identity) => {
        const authzid = preparedAuthzid(identity);
        const certificate = tls?.peerCertificate;
        if (!certificate?.verified) throw new UnauthorizedLogin('no verified client certificate');
        return new ExternalIdentity(certificate, authzid);
      }),
  };
}
