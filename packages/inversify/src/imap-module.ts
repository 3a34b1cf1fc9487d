import { ImapBackEnd, imap } from '@postern/imap';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the front of an IMAP server: the bound portal, challengers, hostname and options. */
export const imapModule = protocolModule({
  name: 'IMAP',
  scheme: 'imap',
  avatar: ImapBackEnd,
  factory: identifiers.Imap,
  options: identifiers.ImapOptions,
  create: imap,
});
