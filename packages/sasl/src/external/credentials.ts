import { Credentials, type PeerCertificate } from '@postern/cred';

/**
 * A client that was authenticated outside of SASL, by its TLS certificate. The checker says whose certificate it is; the portal,
 * whether that user may act as the authorization identity (RFC 4422 App. A.1).
 */
export class ExternalIdentity extends Credentials {
  readonly username = undefined;

  /** The client's certificate; verified. */
  readonly certificate: PeerCertificate;

  constructor(certificate: PeerCertificate, authzid?: string) {
    super(authzid);
    this.certificate = certificate;
  }

  override get guessable(): boolean {
    return false;
  }
}
