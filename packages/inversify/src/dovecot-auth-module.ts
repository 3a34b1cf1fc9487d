import { Identity } from '@postern/cred';
import { dovecotAuth } from '@postern/dovecot-auth';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the auth server of Postfix and Exim: the bound portal, challengers and hostname. */
export const dovecotAuthModule = protocolModule({
  name: "Dovecot's auth server",
  scheme: 'dovecot-auth',
  avatar: Identity,
  factory: identifiers.DovecotAuth,
  options: identifiers.DovecotAuthOptions,
  create: dovecotAuth,
});
