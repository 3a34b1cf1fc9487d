import { Mailbox, pop3 } from '@postern/pop3';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the POP3 server: the bound portal, challengers, hostname and options. */
export const pop3Module = protocolModule({
  name: 'POP3',
  scheme: 'pop3',
  avatar: Mailbox,
  factory: identifiers.Pop3,
  options: identifiers.Pop3Options,
  create: pop3,
});
