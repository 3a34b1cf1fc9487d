import { managesieve, SieveBackEnd } from '@postern/managesieve';
import { identifiers } from './identifiers.ts';
import { protocolModule } from './protocol-module.ts';

/** Binds the front of a ManageSieve server: the bound portal, challengers, hostname and options. */
export const managesieveModule = protocolModule({
  name: 'ManageSieve',
  scheme: 'sieve',
  avatar: SieveBackEnd,
  factory: identifiers.ManageSieve,
  options: identifiers.ManageSieveOptions,
  create: managesieve,
});
