import type { Deadlines, MemoryBudget, Protocol, TurnQueue } from '@postern/conversation';
import type { Clock, Portal, Realm } from '@postern/cred';
import type { Certificates, Endpoint, ListenOptions, ServeOptions } from '@postern/node';
import { ContainerModule } from 'inversify';
import {
  type BoundAvatar,
  type BoundChallenger,
  type BoundChecker,
  type BoundListener,
  type BoundProtocol,
  identifiers,
} from './identifiers.ts';
import { Misconfiguration } from './misconfiguration.ts';

/**
 * Binds the parts of the server: the bound listeners, the portal, and all bound objects to dispose
 * of at the end.
 */
export const nodeModule = new ContainerModule(({ bind }) => {
  bind(identifiers.ServeOptions)
    .toResolvedValue(composeServeOptions, [
      identifiers.Portal,
      { serviceIdentifier: identifiers.Realm, isMultiple: true },
      { serviceIdentifier: identifiers.Avatar, isMultiple: true },
      { serviceIdentifier: identifiers.Checker, isMultiple: true },
      { serviceIdentifier: identifiers.Challenger, isMultiple: true },
      { serviceIdentifier: identifiers.Listener, isMultiple: true },
      { serviceIdentifier: identifiers.Protocol, isMultiple: true },
      { serviceIdentifier: identifiers.Certificates, optional: true },
      { serviceIdentifier: identifiers.Deadlines, optional: true },
      { serviceIdentifier: identifiers.TurnQueue, optional: true },
      { serviceIdentifier: identifiers.MemoryBudget, optional: true },
      { serviceIdentifier: identifiers.Clock, optional: true },
      { serviceIdentifier: identifiers.Warn, optional: true },
    ])
    .inSingletonScope();
});

function composeServeOptions(
  portal: Portal,
  realms: Realm[],
  avatars: BoundAvatar[],
  checkers: BoundChecker[],
  challengers: BoundChallenger[],
  bound: BoundListener[],
  protocols: BoundProtocol[],
  certificates: Certificates | undefined,
  deadlines: Deadlines | undefined,
  turns: TurnQueue | undefined,
  memory: MemoryBudget | undefined,
  clock: Clock | undefined,
  warn: ((warning: string) => void) | undefined,
): ServeOptions {
  const conversation = { ...(deadlines && { deadlines }), ...(turns && { turns }), ...(memory && { memory }) };
  const listeners = composeListeners(bound, protocols, {
    ...(certificates && { certificates }),
    ...(clock && { clock }),
    conversation,
  });
  warnOfUnusedChallengers(challengers, portal, warn);
  return {
    listeners,
    portal,
    ...(clock && { clock }),
    resources: [
      ...checkers.map(({ name, checker }) => [`checker ${name}`, checker] as const),
      ...challengers.map(({ name, challenger }) => [`challenger ${name}`, challenger] as const),
      ...avatars.map(({ name, factory }) => [`avatar ${name}`, factory] as const),
      ...realms.map((realm) => ['realm', realm] as const),
    ],
  };
}

/**
 * Returns the options of each bound listener, with the bound objects for all listeners as defaults.
 */
function composeListeners(
  bound: readonly BoundListener[],
  protocols: readonly BoundProtocol[],
  defaults: Partial<ListenOptions>,
): readonly ListenOptions[] {
  const problems: string[] = [];
  if (bound.length === 0) problems.push('listener: none is bound; use bindListener');
  const names = new Set<string>();
  const listeners: ListenOptions[] = [];
  for (const { name, options } of bound) {
    if (names.has(name)) problems.push(`listener ${name}: bound more than once`);
    names.add(name);
    const protocol = options.protocol ?? protocolOf(options.endpoint, protocols);
    if (protocol === undefined) {
      const { scheme = 'smtp' } = options.endpoint;
      problems.push(`listener ${name}: has no protocol; load the module of ${scheme}, or give the listener a protocol`);
      continue;
    }
    const conversation = { ...defaults.conversation, ...options.conversation };
    listeners.push({ ...defaults, ...options, name, protocol, conversation });
  }
  if (problems.length > 0) throw new Misconfiguration(problems);
  return listeners;
}

/** Returns the protocol of the endpoint's scheme, with or without implicit TLS. */
function protocolOf({ scheme = 'smtp' }: Endpoint, protocols: readonly BoundProtocol[]): Protocol | undefined {
  return protocols.find((bound) => scheme === bound.scheme || scheme === `${bound.scheme}s`)?.create();
}

function warnOfUnusedChallengers(
  challengers: readonly BoundChallenger[],
  portal: Portal,
  warn = (warning: string) => process.emitWarning(warning, 'PosternWarning'),
): void {
  for (const { name, challenger } of challengers) {
    const { mechanism, credentials } = challenger;
    if (portal.handles(credentials)) continue;
    warn(`challenger ${name}: no checker judges ${credentials.name}, so that ${mechanism} is never offered`);
  }
}
