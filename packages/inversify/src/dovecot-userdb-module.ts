import { dovecotUserdb, MailDirectory } from '@postern/dovecot-auth';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the user look-up of chasquid: the bound portal and options. */
export const dovecotUserdbModule = protocolModule({
  name: "Dovecot's user look-up",
  scheme: 'dovecot-userdb',
  avatar: MailDirectory,
  factory: identifiers.DovecotUserdb,
  options: identifiers.DovecotUserdbOptions,
  create: dovecotUserdb,
});
