import { checker } from '@postern/cred';
import { BearerToken, ExternalIdentity } from '@postern/sasl';
import { defineConfig } from 'postern';

/** Accepts joe's token. The client may name joe or leave the name out. */
const tokens = checker([BearerToken], ({ token }) => (token === 't0ken' ? 'joe' : undefined));

/** Accepts each certificate of the client authority and takes the common name as the user name. */
const certificates = checker([ExternalIdentity], ({ certificate }) => /^CN=(.+)$/m.exec(certificate.subject)?.[1]);

/** Checkers have no option on the command line; the tests set everything else by options. */
export default defineConfig({ auth: ['memory:joe:s3cret', tokens, certificates] });
