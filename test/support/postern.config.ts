import { UnauthorizedLogin } from '@postern/cred';
import { BearerToken, ExternalIdentity } from '@postern/sasl';
import { defineConfig } from 'postern';

/** Tokens that only joe has; a client may say so, or leave it out. */
const tokens = {
  credentialInterfaces: [BearerToken],
  requestAvatarId({ token }: BearerToken): string {
    if (token !== 't0ken') throw new UnauthorizedLogin();
    return 'joe';
  },
};

/** Who has a certificate of the authority for clients is called what the certificate says. */
const certificates = {
  credentialInterfaces: [ExternalIdentity],
  requestAvatarId({ certificate }: ExternalIdentity): string {
    const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
    if (name === undefined) throw new UnauthorizedLogin();
    return name;
  },
};

/** What no option can say: checkers of one's own. The rest is options. */
export default defineConfig({ auth: ['memory:joe:s3cret', tokens, certificates] });
