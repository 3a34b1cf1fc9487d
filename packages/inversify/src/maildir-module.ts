import { MessageDelivery } from '@postern/esmtp';
import { MaildirDelivery, type MaildirOptions } from '@postern/maildir';
import { ContainerModule } from 'inversify';
import { bindAvatar } from './bind-avatar.ts';
import { identifiers } from './identifiers.ts';

/** Everybody's messages go into Maildirs in the folder that is bound. */
export const maildirModule = new ContainerModule((binding) => {
  bindAvatar(binding, MessageDelivery)
    .toResolvedValue(
      (folder: string, options: MaildirOptions | undefined) => {
        const delivery = new MaildirDelivery(folder, options);
        return () => delivery;
      },
      [identifiers.MaildirFolder, { serviceIdentifier: identifiers.MaildirOptions, optional: true }],
    )
    .inSingletonScope();
});
