import { esmtp, MessageDelivery } from '@postern/esmtp';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the ESMTP server: the bound portal, challengers, hostname and options. */
export const esmtpModule = protocolModule({
  name: 'ESMTP',
  scheme: 'smtp',
  avatar: MessageDelivery,
  factory: identifiers.Esmtp,
  options: identifiers.EsmtpOptions,
  create: esmtp,
});
