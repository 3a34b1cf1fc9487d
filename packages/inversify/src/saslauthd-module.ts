import { Identity } from '@postern/cred';
import { saslauthd } from '@postern/dovecot-auth';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the server of saslauthd's protocol: the bound portal and options. */
export const saslauthdModule = protocolModule({
  name: 'saslauthd',
  scheme: 'saslauthd',
  avatar: Identity,
  factory: identifiers.Saslauthd,
  options: identifiers.SaslauthdOptions,
  create: saslauthd,
});
