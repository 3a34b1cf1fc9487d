import type { Protocol } from '@postern/conversation';
import type { Portal, Realm } from '@postern/cred';
import { type EsmtpOptions, esmtp, MessageDelivery } from '@postern/esmtp';
import type { Challenger } from '@postern/sasl';
import { ContainerModule } from 'inversify';
import type { BoundAvatar } from './bind-avatar.ts';
import { identifiers } from './identifiers.ts';
import { Misconfiguration } from './misconfiguration.ts';
import { NO_HOSTNAME } from './sasl-module.ts';

/** Makes the protocol of a listener, with what is bound, and with what that one listener has differently. */
export type EsmtpFactory = (differences?: Partial<EsmtpOptions>) => Protocol;

/** The ESMTP server, of the portal, the challengers, the hostname and the options that are bound. */
export const esmtpModule = new ContainerModule(({ bind }) => {
  bind(identifiers.Esmtp)
    .toResolvedValue(composeEsmtp, [
      { serviceIdentifier: identifiers.Hostname, optional: true },
      identifiers.Portal,
      identifiers.Challengers,
      { serviceIdentifier: identifiers.EsmtpOptions, optional: true },
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
  realms: Realm[],
  avatars: BoundAvatar[],
): EsmtpFactory {
  if (hostname === undefined) throw new Misconfiguration([NO_HOSTNAME]);
  // What a realm of the application's own provides only it can know.
  if (realms.length === 0 && !avatars.some(({ avatarInterface }) => avatarInterface === MessageDelivery)) {
    throw new Misconfiguration([`avatar MessageDelivery: none is bound, and ESMTP is of no use without`]);
  }
  return (differences) => esmtp({ hostname, portal, challengers, ...options, ...differences });
}
