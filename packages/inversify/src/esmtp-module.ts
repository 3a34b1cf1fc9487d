import type { Clock, Portal, Realm } from '@postern/cred';
import { type EsmtpOptions, esmtp, MessageDelivery } from '@postern/esmtp';
import type { Challenger } from '@postern/sasl';
import { ContainerModule } from 'inversify';
import { type BoundAvatar, type EsmtpFactory, identifiers } from './identifiers.ts';
import { Misconfiguration, NO_HOSTNAME } from './misconfiguration.ts';

/** Binds the ESMTP server: the bound portal, challengers, hostname and options. */
export const esmtpModule = new ContainerModule(({ bind }) => {
  bind(identifiers.Esmtp)
    .toResolvedValue(composeEsmtp, [
      { serviceIdentifier: identifiers.Hostname, optional: true },
      identifiers.Portal,
      identifiers.Challengers,
      { serviceIdentifier: identifiers.EsmtpOptions, optional: true },
      { serviceIdentifier: identifiers.Clock, optional: true },
      { serviceIdentifier: identifiers.Realm, isMultiple: true },
      { serviceIdentifier: identifiers.Avatar, isMultiple: true },
    ])
    .inSingletonScope();
});

function composeEsmtp(
  hostname: string | undefined,
  portal: Portal,
  challengers: readonly Challenger[],
  options: Partial<EsmtpOptions> | undefined,
  clock: Clock | undefined,
  realms: Realm[],
  avatars: BoundAvatar[],
): EsmtpFactory {
  if (hostname === undefined) throw new Misconfiguration([NO_HOSTNAME]);
  // The avatars of a realm are known to the application only.
  if (realms.length === 0 && !avatars.some(({ avatarInterface }) => avatarInterface === MessageDelivery)) {
    throw new Misconfiguration(['avatar MessageDelivery: none is bound, and ESMTP needs it; use bindAvatar']);
  }
  return (differences) => esmtp({ hostname, portal, challengers, ...(clock && { clock }), ...options, ...differences });
}
