import { Credentials, type PeerCertificate } from '@postern/cred';

/**
 * The identity of a client that TLS has authenticated by a certificate. The checker finds the user
 * of the certificate. The portal decides whether that user may act as the authorization identity
 * (RFC 4422 App. A.1).
 */
export class ExternalIdentity extends Credentials {
  readonly username = undefined;

  /** The client's certificate, which chains to a trusted authority. */
  readonly certificate: PeerCertificate;

  constructor(certificate: PeerCertificate, authzid?: string) {
    super(authzid);
    this.certificate = certificate;
  }

  override get guessable(): boolean {
    return false;
  }
}
