import type { AvatarId, Mind } from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import { MaildirDelivery, MaildirMailboxes, type MaildirOptions } from '@postern/maildir';
import { Mailbox } from '@postern/pop3';
import { relay, type SmarthostOptions } from '@postern/relay';
import { ContainerModule } from 'inversify';
import { bindAvatar } from './bind.ts';
import { identifiers } from './identifiers.ts';

/** Binds the delivery of all users: into Maildirs in the bound folder. */
export const maildirModule = new ContainerModule((binder) => {
  bindAvatar(binder, MessageDelivery)
    .toResolvedValue(
      (folder: string, options: MaildirOptions | undefined) => {
        const delivery = new MaildirDelivery(folder, options);
        return () => delivery;
      },
      [identifiers.MaildirFolder, { serviceIdentifier: identifiers.MaildirOptions, optional: true }],
    )
    .inSingletonScope();
});

/** Binds the mailboxes of all users: the Maildirs that {@link maildirModule} delivers to. */
export const mailboxModule = new ContainerModule((binder) => {
  bindAvatar(binder, Mailbox)
    .toResolvedValue(
      (folder: string, options: MaildirOptions | undefined) => {
        const mailboxes = new MaildirMailboxes(folder, options);
        return (user: AvatarId, mind: Mind) => mailboxes.open(user, mind);
      },
      [identifiers.MaildirFolder, { serviceIdentifier: identifiers.MaildirOptions, optional: true }],
    )
    .inSingletonScope();
});

/** Binds the delivery of all users: to the bound smarthost, under the bound hostname. */
export const relayModule = new ContainerModule((binder) => {
  bindAvatar(binder, MessageDelivery)
    .toResolvedValue(
      (options: SmarthostOptions, hostname: string | undefined) =>
        relay(hostname === undefined ? options : { hostname, ...options }),
      [identifiers.SmarthostOptions, { serviceIdentifier: identifiers.Hostname, optional: true }],
    )
    .inSingletonScope();
});
