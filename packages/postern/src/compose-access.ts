import type { Protocol } from '@postern/conversation';
import { Anonymous, type AvatarRealm, isDerived } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import type {
  AccessProtocol,
  AccessProtocolOptions,
  LoginCommand,
  OpenAccessProtocol,
} from './access/access-protocol.ts';
import { type CommandOutput, disposeOfAll } from './delivery-target.ts';
import { type AccessService, isAccess } from './listener-url.ts';
import type { Settings } from './settings.ts';

/** The protocols by which users read their mail and manage its filters. */
export interface Access extends AsyncDisposable {
  /** Adds the avatars of the protocols to the realm, and returns it. */
  readonly provide: (realm: AvatarRealm) => AvatarRealm;
  /** Returns the protocol of a listener. */
  readonly protocolOf: (service: AccessService, options: AccessProtocolOptions) => Protocol;
  /** The commands by which clients log in without SASL. */
  readonly loginCommandsOf: (service: AccessService) => readonly LoginCommand[];
  /** The last reply to a client above a limit of connections, with its line end. */
  readonly refusalOf: (service: AccessService) => string;
  /** Runs before the server listens. Rejects with a StartError if no user could be served. */
  readonly prepare: () => Promise<void>;
}

/**
 * Opens the protocols of POP3, IMAP and ManageSieve listeners. A server without such a listener
 * loads none of their packages.
 *
 * @throws UsageError for settings that do not work together.
 */
export async function composeAccess(settings: Settings, output: CommandOutput): Promise<Access> {
  const services = new Set(settings.listeners.filter(isAccess).map(({ service }) => service));
  const protocols = new Map<AccessService, AccessProtocol>();
  for (const service of services) {
    const open = await PROTOCOLS[service]();
    protocols.set(service, await open(settings, output));
  }
  const opened = (service: AccessService): AccessProtocol => {
    const protocol = protocols.get(service);
    if (protocol === undefined) throw new Error(`no listener has the service ${service}`);
    return protocol;
  };
  return {
    provide(realm) {
      for (const protocol of protocols.values()) protocol.provide(realm);
      return realm;
    },
    protocolOf: (service, options) => opened(service).create(options),
    loginCommandsOf: (service) => opened(service).loginCommands,
    refusalOf: (service) => opened(service).refusal,
    async prepare() {
      for (const { prepare } of protocols.values()) await prepare?.();
    },
    [Symbol.asyncDispose]: () => disposeOfAll(protocols.values()),
  };
}

/** Returns the mechanisms of POP3, IMAP and ManageSieve: an anonymous client has no mailbox. */
export function accessChallengers(challengers: readonly Challenger[]): readonly Challenger[] {
  return challengers.filter(({ credentials }) => !isDerived(credentials, Anonymous));
}

/**
 * Leaves out SCRAM-SHA-1 and SCRAM-SHA-256 for an auth server. Under TLS, clients of GNU SASL such
 * as msmtp 1.8.26 do not log in behind Postfix and Exim if these mechanisms come without -PLUS.
 */
export function withoutGnuScram(challengers: readonly Challenger[]): readonly Challenger[] {
  return challengers.filter(({ mechanism }) => !isGnuScram(mechanism));
}

/** Returns true for a mechanism that {@link withoutGnuScram} leaves out. */
export function isGnuScram(mechanism: string): boolean {
  return mechanism === 'SCRAM-SHA-1' || mechanism === 'SCRAM-SHA-256';
}

/** The protocols by their services. A new protocol is one entry. */
const PROTOCOLS: Readonly<Record<AccessService, () => Promise<OpenAccessProtocol>>> = {
  pop3: async () => (await import('./access/pop3.ts')).openPop3,
  imap: async () => (await import('./access/imap.ts')).openImap,
  sieve: async () => (await import('./access/managesieve.ts')).openManageSieve,
  'dovecot-auth': async () => (await import('./access/dovecot-auth.ts')).openDovecotAuth,
};
