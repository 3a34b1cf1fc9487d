import { Deadlines } from '@postern/conversation';
import type { Clock } from '@postern/cred';
import { ContainerModule } from 'inversify';
import { identifiers } from './identifiers.ts';

/** One set of deadlines for all conversations of all listeners. */
export const conversationModule = new ContainerModule(({ bind }) => {
  bind(identifiers.Deadlines)
    .toResolvedValue(
      (clock: Clock | undefined) => new Deadlines(clock),
      [{ serviceIdentifier: identifiers.Clock, optional: true }],
    )
    .inSingletonScope();
});
