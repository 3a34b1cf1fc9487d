import { MailDirectory, policy } from '@postern/dovecot-auth';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the policy server of Postfix: the bound portal and options. */
export const policyModule = protocolModule({
  name: 'policy delegation',
  scheme: 'policy',
  avatar: MailDirectory,
  factory: identifiers.Policy,
  options: identifiers.PolicyOptions,
  create: policy,
});
