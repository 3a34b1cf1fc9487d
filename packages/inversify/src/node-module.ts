import type { Deadlines, MemoryBudget, TurnQueue } from '@postern/conversation';
import type { Portal, Realm } from '@postern/cred';
import type { Certificates } from '@postern/node';
import { ContainerModule } from 'inversify';
import type { BoundAvatar } from './bind-avatar.ts';
import type { BoundChallenger } from './bind-challenger.ts';
import type { BoundChecker } from './bind-checker.ts';
import type { BoundListener } from './bind-listener.ts';
import type { EsmtpFactory } from './esmtp-module.ts';
import { identifiers } from './identifiers.ts';
import { Server } from './server.ts';

/** The server: the listeners that are bound, and the end of everything in order. */
export const nodeModule = new ContainerModule(({ bind }) => {
  bind(identifiers.Server)
    .toResolvedValue(composeServer, [
      identifiers.Portal,
      { serviceIdentifier: identifiers.Realm, isMultiple: true },
      { serviceIdentifier: identifiers.Avatar, isMultiple: true },
      { serviceIdentifier: identifiers.Checker, isMultiple: true },
      { serviceIdentifier: identifiers.Challenger, isMultiple: true },
      { serviceIdentifier: identifiers.Listener, isMultiple: true },
      { serviceIdentifier: identifiers.Esmtp, optional: true },
      { serviceIdentifier: identifiers.Certificates, optional: true },
      { serviceIdentifier: identifiers.Deadlines, optional: true },
      { serviceIdentifier: identifiers.TurnQueue, optional: true },
      { serviceIdentifier: identifiers.MemoryBudget, optional: true },
      { serviceIdentifier: identifiers.Warn, optional: true },
    ])
    .inSingletonScope();
});

function composeServer(
  portal: Portal,
  realms: Realm[],
  avatars: BoundAvatar[],
  checkers: BoundChecker[],
  challengers: BoundChallenger[],
  listeners: BoundListener[],
  esmtp: EsmtpFactory | undefined,
  certificates: Certificates | undefined,
  deadlines: Deadlines | undefined,
  turns: TurnQueue | undefined,
  memory: MemoryBudget | undefined,
  warn: ((warning: string) => void) | undefined,
): Server {
  return new Server({
    portal,
    realms,
    avatars,
    checkers,
    challengers,
    listeners,
    esmtp,
    certificates,
    deadlines,
    turns,
    memory,
    warn,
  });
}
