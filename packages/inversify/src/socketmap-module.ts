import { MailDirectory, socketmap } from '@postern/dovecot-auth';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the socketmap server of Postfix: the bound portal and options. */
export const socketmapModule = protocolModule({
  name: 'socketmap',
  scheme: 'socketmap',
  avatar: MailDirectory,
  factory: identifiers.Socketmap,
  options: identifiers.SocketmapOptions,
  create: socketmap,
});
