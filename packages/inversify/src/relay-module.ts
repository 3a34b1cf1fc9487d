import { MessageDelivery } from '@postern/esmtp';
import { relay, type SmarthostOptions } from '@postern/relay';
import { ContainerModule } from 'inversify';
import { bindAvatar } from './bind-avatar.ts';
import { identifiers } from './identifiers.ts';

/** Everybody's messages go on to the smarthost whose options are bound, where this server has the name that is bound. */
export const relayModule = new ContainerModule((binding) => {
  bindAvatar(binding, MessageDelivery)
    .toResolvedValue(
      (options: SmarthostOptions, hostname: string | undefined) =>
        relay(hostname === undefined ? options : { hostname, ...options }),
      [identifiers.SmarthostOptions, { serviceIdentifier: identifiers.Hostname, optional: true }],
    )
    .inSingletonScope();
});
