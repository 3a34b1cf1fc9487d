import { Deadlines, MemoryBudget, type MemoryBudgetOptions, TurnQueue } from '@postern/conversation';
import type { Clock } from '@postern/cred';
import { ContainerModule } from 'inversify';
import { identifiers } from './identifiers.ts';

/**
 * Binds one set of deadlines, one queue for turns and one memory budget for the conversations of
 * all listeners.
 */
export const conversationModule = new ContainerModule(({ bind }) => {
  bind(identifiers.Deadlines)
    .toResolvedValue(
      (clock: Clock | undefined) => new Deadlines(clock),
      [{ serviceIdentifier: identifiers.Clock, optional: true }],
    )
    .inSingletonScope();
  bind(identifiers.TurnQueue)
    .toResolvedValue(() => new TurnQueue())
    .inSingletonScope();
  bind(identifiers.MemoryBudget)
    .toResolvedValue(
      (options: MemoryBudgetOptions | undefined) => new MemoryBudget(options),
      [{ serviceIdentifier: identifiers.MemoryBudgetOptions, optional: true }],
    )
    .inSingletonScope();
});
