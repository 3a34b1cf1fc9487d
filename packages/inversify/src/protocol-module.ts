import type { Protocol } from '@postern/conversation';
import type { Clock, Interface, Portal, Realm } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import { ContainerModule, type ServiceIdentifier } from 'inversify';
import { type BoundAvatar, type BoundProtocol, identifiers, type ProtocolFactory } from './identifiers.ts';
import { Misconfiguration, NO_HOSTNAME } from './misconfiguration.ts';

/** The options that each protocol has, and that the container knows. */
interface CommonOptions {
  readonly hostname: string;
  readonly portal: Portal;
  readonly challengers: readonly Challenger[];
  readonly clock?: Clock;
}

/** What distinguishes the module of one protocol. */
export interface ProtocolParts<O> {
  /** The name of the protocol, for errors: `POP3`. */
  readonly name: string;
  /** The scheme of its listeners without implicit TLS: `pop3`. */
  readonly scheme: string;
  /** The avatar that the protocol works with. */
  readonly avatar: Interface<object>;
  /** The identifier of the factory, which the module binds. */
  readonly factory: ServiceIdentifier<ProtocolFactory<O>>;
  /** The identifier of the options, which the application may bind. */
  readonly options: ServiceIdentifier<Partial<O>>;
  /** Returns the protocol. Its options hold those of the application besides the common ones. */
  readonly create: (options: CommonOptions) => Protocol;
}

/** Returns a module that binds a protocol: the bound portal, challengers, hostname and options. */
export function protocolModule<O>({ factory, options, scheme, ...parts }: ProtocolParts<O>): ContainerModule {
  return new ContainerModule(({ bind }) => {
    bind(factory)
      .toResolvedValue(
        (
          hostname: string | undefined,
          portal: Portal,
          challengers: readonly Challenger[],
          bound: object | undefined,
          clock: Clock | undefined,
          realms: Realm[],
          avatars: BoundAvatar[],
        ): ProtocolFactory<O> => {
          if (hostname === undefined) throw new Misconfiguration([NO_HOSTNAME]);
          checkAvatar(parts, realms, avatars);
          const common = { hostname, portal, challengers, ...(clock && { clock }) };
          return (differences) => parts.create({ ...common, ...bound, ...differences });
        },
        [
          { serviceIdentifier: identifiers.Hostname, optional: true },
          identifiers.Portal,
          identifiers.Challengers,
          { serviceIdentifier: options as ServiceIdentifier<object>, optional: true },
          { serviceIdentifier: identifiers.Clock, optional: true },
          { serviceIdentifier: identifiers.Realm, isMultiple: true },
          { serviceIdentifier: identifiers.Avatar, isMultiple: true },
        ],
      )
      .inSingletonScope();
    bind(identifiers.Protocol)
      .toResolvedValue((create: ProtocolFactory<O>): BoundProtocol => ({ scheme, create }), [factory])
      .inSingletonScope();
  });
}

/** The avatars of a realm are known to the application only. */
function checkAvatar(
  { name, avatar }: Pick<ProtocolParts<never>, 'name' | 'avatar'>,
  realms: readonly Realm[],
  avatars: readonly BoundAvatar[],
): void {
  if (realms.length > 0 || avatars.some(({ avatarInterface }) => avatarInterface === avatar)) return;
  throw new Misconfiguration([`avatar ${avatar.name}: none is bound, and ${name} needs it; use bindAvatar`]);
}
