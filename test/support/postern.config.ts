import { UnauthorizedLogin } from '@postern/cred';
import { BearerToken, ExternalIdentity } from '@postern/sasl';
import { defineConfig } from 'postern';

/** Accepts joe's token. The client may name joe or leave the name out. */
const tokens = {
  credentialInterfaces: [BearerToken],
  requestAvatarId({ token }: BearerToken): string {
    if (token !== 't0ken') throw new UnauthorizedLogin();
    return 'joe';
  },
};

/** Accepts each certificate of the client authority and takes the common name as the user name. */
const certificates = {
  credentialInterfaces: [ExternalIdentity],
  requestAvatarId({ certificate }: ExternalIdentity): string {
    const name = /^CN=(.+)$/m.exec(certificate.subject)?.[1];
    if (name === undefined) throw new UnauthorizedLogin();
    return name;
  },
};

/** Checkers have no option on the command line; the tests set everything else by options. */
export default defineConfig({ auth: ['memory:joe:s3cret', tokens, certificates] });
