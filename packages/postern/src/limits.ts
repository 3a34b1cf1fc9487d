import { MemoryBudget, type MemoryBudgetOptions } from '@postern/conversation';
import { AnonymousChecker, AvatarRealm, Portal, type PortalOptions } from '@postern/cred';
import type { Limits as DovecotAuthLimits, LookupLimits, SaslauthdLimits } from '@postern/dovecot-auth';
import { type Limits, withDefaultLimits } from '@postern/esmtp';
import type { HttpLimits } from '@postern/http';
import type { NginxMailLimits } from '@postern/http/nginx';
import type { Limits as ImapLimits } from '@postern/imap';
import type { ManageSieveOptions } from '@postern/managesieve';
import type { ConnectionLimits } from '@postern/node';
import type { Limits as Pop3Limits } from '@postern/pop3';
import { type ThrottleOptions, withThrottle } from '@postern/throttle';
import { UsageError } from './errors.ts';
import { ACCESS_SERVICES } from './listener-url.ts';

/** The option `limits`. */
export type LimitOptions = Partial<Limits> & LoginLimits & ConnectionLimits & MemoryBudgetOptions & AccessLimits;

/** The limits of the sessions of all protocols but SMTP and LMTP. */
export interface AccessLimits {
  readonly pop3?: Partial<Pop3Limits>;
  readonly imap?: Partial<ImapLimits>;
  readonly sieve?: NonNullable<ManageSieveOptions['limits']>;
  readonly 'dovecot-auth'?: Partial<DovecotAuthLimits>;
  readonly 'dovecot-userdb'?: Partial<DovecotAuthLimits>;
  readonly saslauthd?: Partial<SaslauthdLimits>;
  readonly policy?: Partial<LookupLimits>;
  readonly socketmap?: Partial<LookupLimits>;
  readonly http?: HttpListenerLimits;
}

/** The limits of HTTP: those of each request, and those of nginx's mail proxy. */
export interface HttpListenerLimits extends Partial<HttpLimits>, Partial<NginxMailLimits> {}

/** The limit of a login: `loginTimeout`. */
export type LoginLimits = Pick<PortalOptions, 'loginTimeout'>;

/** The option `limits`, sorted by the packages that take them. */
export interface LimitSettings {
  /** The limits of an SMTP or LMTP session. */
  readonly limits: Partial<Limits>;
  /** The limits of the sessions of the other protocols. */
  readonly accessLimits: AccessLimits;
  /** The limit of each login. */
  readonly logins: LoginLimits;
  /** The limits of each listener. */
  readonly connections: ConnectionLimits;
  /** The memory limits of each process. */
  readonly memory: MemoryBudgetOptions;
}

/** The names of the limits of a listener. */
export const CONNECTION_LIMITS = Object.keys({
  maxConnections: true,
  maxConnectionsPerClient: true,
  maxConnectionsPerSite: true,
  maxConnectionsPerMinute: true,
  maxHandshakesPerMinute: true,
} satisfies Record<keyof ConnectionLimits, true>);

/**
 * Parses the option `limits`.
 *
 * @throws UsageError
 */
export function parseLimits(option: LimitOptions): LimitSettings {
  const { loginTimeout, maxMemory, maxConnectionMemory, ...rest } = option;
  const isAccess = (name: string) => ACCESS_SERVICES.some((service) => service === name);
  const accessLimits: AccessLimits = Object.fromEntries(
    Object.entries(rest).filter(([name, limit]) => isAccess(name) && limit !== undefined),
  );
  const logins = loginTimeout === undefined ? {} : { loginTimeout };
  const memory = {
    ...(maxMemory !== undefined && { maxMemory }),
    ...(maxConnectionMemory !== undefined && { maxConnectionMemory }),
  };
  const entries = Object.entries(rest).filter(
    (entry): entry is [string, number] => !isAccess(entry[0]) && entry[1] !== undefined,
  );
  const connections = entries.filter(([name]) => CONNECTION_LIMITS.includes(name));
  for (const [name, limit] of connections) {
    if (!(limit >= 1)) throw new UsageError(`${name}: expected 1 or more, not ${limit}`);
  }
  const limits = Object.fromEntries(entries.filter(([name]) => !CONNECTION_LIMITS.includes(name)));
  expectAccepted(() => withDefaultLimits(limits));
  expectAccepted(() => new Portal(new AvatarRealm(), logins));
  expectAccepted(() => new MemoryBudget(memory));
  return { limits, accessLimits, logins, memory, connections: Object.fromEntries(connections) };
}

/**
 * Parses the option `throttle`.
 *
 * @throws UsageError
 */
export function parseThrottle(throttle: ThrottleOptions | false): ThrottleOptions | false {
  if (throttle !== false) expectAccepted(() => withThrottle(new AnonymousChecker(), throttle));
  return throttle;
}

/**
 * Calls the package that takes the options. Its error is a mistake of the operator.
 *
 * @param name The operator's name of the option, which replaces `limits` in the message. Default:
 *   none, because the name comes before the message already.
 * @throws UsageError
 */
export function expectAccepted<T>(create: () => T, name = ''): T {
  try {
    return create();
  } catch (error) {
    const message = (error as Error).message.replace(/^limits\b/, name);
    throw new UsageError(message.replace(/^[.:] ?/, ''), { cause: error });
  }
}
