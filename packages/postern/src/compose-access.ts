import type { Protocol } from '@postern/conversation';
import { Anonymous, type AvatarRealm, isDerived } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import type {
  AccessContext,
  AccessProtocol,
  AccessProtocolOptions,
  LoginCommand,
  OpenAccessProtocol,
} from './access/access-protocol.ts';
import { disposeOfAll } from './delivery-target.ts';
import type { AccessListenerSettings } from './listener-settings.ts';
import { type AccessService, isAccess } from './listener-url.ts';
import type { Settings } from './settings.ts';

/** The protocols other than SMTP and LMTP. */
export interface Access extends AsyncDisposable {
  /** Adds the avatars of the protocols to the realm, and returns it. */
  readonly provide: (realm: AvatarRealm) => AvatarRealm;
  /** Returns the protocol of a listener. */
  readonly protocolOf: (listener: AccessListenerSettings, options: AccessProtocolOptions) => Protocol;
  /** The commands by which clients log in without SASL. */
  readonly loginCommandsOf: (service: AccessService) => readonly LoginCommand[];
  /** The methods that a proxy offers to its clients by itself. */
  readonly proxiedMethodsOf: (service: AccessService) => readonly LoginCommand[];
  /** The last reply to a client above a limit of connections, with its line end. */
  readonly refusalOf: (service: AccessService) => string;
  /** Runs before the server listens. Rejects with a StartError if no user could be served. */
  readonly prepare: () => Promise<void>;
}

/**
 * Opens the protocols of the listeners, except for SMTP and LMTP. A protocol without a listener
 * loads no package.
 *
 * @throws UsageError for settings that do not work together.
 */
export async function composeAccess(settings: Settings, context: AccessContext): Promise<Access> {
  const services = new Set(settings.listeners.filter(isAccess).map(({ service }) => service));
  const protocols = new Map<AccessService, AccessProtocol>();
  for (const service of services) {
    const open = await PROTOCOLS[service]();
    protocols.set(service, await open(settings, context));
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
    protocolOf: (listener, options) => opened(listener.service).create(options, listener),
    loginCommandsOf: (service) => opened(service).loginCommands,
    proxiedMethodsOf: (service) => opened(service).proxiedMethods ?? [],
    refusalOf: (service) => opened(service).refusal,
    async prepare() {
      for (const { prepare } of protocols.values()) await prepare?.();
    },
    [Symbol.asyncDispose]: () => disposeOfAll(protocols.values()),
  };
}

/**
 * Returns the mechanisms of a protocol.
 *
 * @param isNamed True if the operator names the mechanisms.
 */
export function accessChallengers(
  service: AccessService,
  challengers: readonly Challenger[],
  isNamed: boolean,
): readonly Challenger[] {
  return challengers.filter((challenger) => {
    // An operator who names a mechanism knows the clients.
    const isWanted = isNamed && service === 'dovecot-auth' && isGnuScram(challenger);
    return isWanted || explainAccessOmission(service, challenger) === undefined;
  });
}

/** Returns why a protocol leaves a mechanism out; undefined if it does not. */
export function explainAccessOmission(
  service: AccessService,
  challenger: Pick<Challenger, 'mechanism' | 'credentials'>,
): string | undefined {
  if (isDerived(challenger.credentials, Anonymous)) return 'an anonymous client has no mailbox';
  if (service === 'http' && !HTTP_MECHANISMS.includes(challenger.mechanism)) return 'HTTP has no such scheme';
  if (service === 'saslauthd' && challenger.mechanism !== 'PLAIN') return 'saslauthd knows only passwords';
  if (service === 'dovecot-auth' && isGnuScram(challenger)) {
    return 'msmtp would not log in behind Postfix under TLS: --mechanisms has to name it';
  }
  return undefined;
}

/**
 * Under TLS, clients of GNU SASL such as msmtp 1.8.26 do not log in behind Postfix and Exim if
 * these mechanisms come without -PLUS.
 */
function isGnuScram({ mechanism }: Pick<Challenger, 'mechanism'>): boolean {
  return mechanism === 'SCRAM-SHA-1' || mechanism === 'SCRAM-SHA-256';
}

/** The mechanisms whose secrets nginx's mail proxy or a scheme of HTTP sends. */
const HTTP_MECHANISMS: readonly string[] = [
  'SCRAM-SHA-256',
  'OAUTHBEARER',
  'XOAUTH2',
  'PLAIN',
  'LOGIN',
  'CRAM-MD5',
  'DIGEST-MD5',
  'EXTERNAL',
];

/** The protocols by their services. A new protocol is one entry. */
const PROTOCOLS: Readonly<Record<AccessService, () => Promise<OpenAccessProtocol>>> = {
  pop3: async () => (await import('./access/pop3.ts')).openPop3,
  imap: async () => (await import('./access/imap.ts')).openImap,
  sieve: async () => (await import('./access/managesieve.ts')).openManageSieve,
  'dovecot-auth': async () => (await import('./access/dovecot-auth.ts')).openDovecotAuth,
  'dovecot-userdb': async () => (await import('./access/dovecot-userdb.ts')).openDovecotUserdb,
  saslauthd: async () => (await import('./access/saslauthd.ts')).openSaslauthd,
  policy: async () => (await import('./access/policy.ts')).openPolicy,
  socketmap: async () => (await import('./access/socketmap.ts')).openSocketmap,
  http: async () => (await import('./access/http.ts')).openHttp,
};
