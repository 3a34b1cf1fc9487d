import { randomBytes } from 'node:crypto';
import { type Conversation, type Protocol, Warnings } from '@postern/conversation';
import { type Address, type Clock, systemClock } from '@postern/core';
import type { AvatarId, Mind, Portal } from '@postern/cred';
import { type Challenger, checkChallengers, defaultChallengers as family, type MechanismPolicy } from '@postern/sasl';
import type { EventListener } from './events.ts';
import { DateCache } from './message/date-cache.ts';
import { isAddressLiteral, isDomain } from './protocol/domain.ts';
import { readersOf } from './protocol/extension.ts';
import { extensions } from './protocol/extensions.ts';
import { type Limits, withDefaults } from './protocol/limits.ts';
import { phasesOf } from './protocol/phases.ts';
import { Reply } from './protocol/reply.ts';
import { ReplyCache } from './protocol/reply-cache.ts';
import { type Policy, type Service, services } from './protocol/services.ts';
import { toleranceOf } from './protocol/tolerance.ts';
import { checkPortal } from './session/check-portal.ts';
import { runSession } from './session/session.ts';
import type { Settings } from './session/settings.ts';
import { State } from './session/state.ts';

/** What an ESMTP or LMTP server is made of. */
export interface EsmtpOptions extends Partial<Policy> {
  /** This server's name, as it says it in the greeting and in `Received:` fields: a domain or an address literal. */
  readonly hostname: string;
  /** Where clients log in, for an avatar that is a MessageDelivery. */
  readonly portal: Portal;
  /** The mechanisms; which of them a connection is offered, `offered` decides. Default: the whole family. */
  readonly challengers?: readonly Challenger[];
  /** What the listener is for; sets what is not chosen of the {@link Policy}. Default: submission. */
  readonly service?: Service;
  /** Which mechanisms are offered where. Default: those that expose the secret only with TLS, or to this machine. */
  readonly mechanismPolicy?: MechanismPolicy;
  /** Whether this user's word on who submitted a message first is passed on (MAIL AUTH=, RFC 4954 §5). Default: nobody's. */
  readonly trustAuthParameter?: (mind: Mind, avatarId: AvatarId) => boolean;
  /**
   * The peers whose word is taken on whose connection they hand on (XCLIENT), by the addresses of the connections themselves: `networks`
   * of `@postern/node` makes this of a list. Default: nobody.
   */
  readonly xclient?: (peer: Address) => boolean;
  /**
   * Takes more than the grammar, for printers, cameras and old systems: addresses without angle brackets, dots anywhere in a local part
   * (which is passed on unchanged), AUTH after HELO, base64 without padding. Line endings and BDAT stay strict. Default: false.
   */
  readonly lenient?: boolean;
  /** Extensions that are not offered, and not taken: for a delivery that cannot do what they promise. Default: none. */
  readonly disabledExtensions?: readonly OptionalExtension[];
  /** What a client may use up. Default: {@link Limits} says it of each. */
  readonly limits?: Partial<Limits>;
  /**
   * Hears of logins, messages, refusals and trouble: for the log, `logTo(logger)`. Default: nobody hears; errors of this server
   * and of its operator then become warnings of the process, the same one once a minute.
   */
  readonly onEvent?: EventListener;
  /** Puts the user name of a failed login into its event. Users type passwords into the wrong field. Default: false. */
  readonly logUsernames?: boolean;
  /** What the waits for a refused login, and the forgetting of junk commands, go by. Default: the system's. */
  readonly clock?: Clock;
}

/** The extensions that a server may do without. Without CHUNKING there is no BINARYMIME. */
export const optionalExtensions = ['BINARYMIME', 'CHUNKING', 'DSN', 'LIMITS', 'REQUIRETLS', 'SMTPUTF8'] as const;

/** The keyword of an extension that a server may do without. */
export type OptionalExtension = (typeof optionalExtensions)[number];

/**
 * The ESMTP server (RFC 5321, RFC 4954, RFC 6409), or the LMTP server (RFC 2033), as a protocol for conversations. The endpoint's word
 * on TLS comes with the transport. The protocol never rejects.
 *
 * @throws TypeError, RangeError if the options cannot work: no checker lets any client in, the realm provides no MessageDelivery, a
 * word or a number is wrong. Register checkers before.
 */
export function esmtp(options: EsmtpOptions): Protocol {
  const settings = settle(options);
  return Object.assign((conversation: Conversation) => runSession(new State(conversation, settings)), {
    scheme: settings.protocol,
  });
}

function settle(options: EsmtpOptions): Settings {
  const { hostname, limits, service = 'submission', clock = systemClock } = options;
  if (!isAddressLiteral(hostname) && !(isDomain(hostname) && /^[!-~]+$/.test(hostname))) {
    throw new TypeError(`hostname: a domain or an address literal is wanted, not ${JSON.stringify(hostname)}`);
  }
  const policy = policyOf(service, options);
  const protocol = service === 'lmtp' ? 'lmtp' : 'smtp';
  const tolerance = toleranceOf(service, options.lenient ?? false);
  const disabledExtensions = omitted(options.disabledExtensions);
  const challengers =
    policy.authentication === 'none' ? [] : checkChallengers(options.challengers ?? family({ hostname }));
  const { portal, xclient } = options;
  checkPortal({ portal, authentication: policy.authentication, challengers, takesXclient: xclient !== undefined });
  const offered = extensions.filter(({ keyword }) => !disabledExtensions.has(keyword));
  return {
    hostname,
    portal,
    challengers,
    service,
    protocol,
    phases: phasesOf(protocol, tolerance),
    tolerance,
    ...policy,
    mechanismPolicy: options.mechanismPolicy ?? {},
    trustAuthParameter: options.trustAuthParameter ?? (() => false),
    xclient: xclient ?? (() => false),
    disabledExtensions,
    extensions: offered,
    mailReaders: readersOf(offered.flatMap(({ mail = [] }) => mail)),
    rcptReaders: readersOf(offered.flatMap(({ rcpt = [] }) => rcpt)),
    limits: withDefaults(limits),
    onEvent: options.onEvent,
    warnings: new Warnings(clock),
    logUsernames: options.logUsernames ?? false,
    clock,
    dates: new DateCache(),
    ehloReplies: new ReplyCache(250),
    quitReply: new Reply(221, '2.0.0', `${hostname} closing the connection`),
    nextId: ids(),
  };
}

function omitted(omit: readonly OptionalExtension[] = []): ReadonlySet<string> {
  const names = new Set<string>(omit);
  const wrong = omit.find((name) => !optionalExtensions.includes(name));
  if (wrong !== undefined) {
    throw new TypeError(`omit: ${optionalExtensions.join(' or ')} is wanted, not ${JSON.stringify(wrong)}`);
  }
  return names.has('CHUNKING') ? names.add('BINARYMIME') : names;
}

/** The service's policy, with what is chosen otherwise. Throws a TypeError for a word that is none. */
function policyOf(service: Service, chosen: Partial<Policy>): Policy {
  const policy = Object.hasOwn(services, service) ? services[service] : undefined;
  if (policy === undefined) {
    throw new TypeError(`service: ${Object.keys(services).join(' or ')} is wanted, not ${JSON.stringify(service)}`);
  }
  const newlines = chosen.newlines ?? policy.newlines;
  if (newlines !== 'reject' && newlines !== 'normalize') {
    throw new TypeError(`newlines: reject or normalize is wanted, not ${JSON.stringify(newlines)}`);
  }
  return {
    authentication: chosen.authentication ?? policy.authentication,
    requireQualifiedDomains: chosen.requireQualifiedDomains ?? policy.requireQualifiedDomains,
    addMissingHeaders: chosen.addMissingHeaders ?? policy.addMissingHeaders,
    newlines,
    removeBcc: chosen.removeBcc ?? policy.removeBcc,
    omitClientFromReceived: chosen.omitClientFromReceived ?? policy.omitClientFromReceived,
  };
}

/** Ids of this server's own: when it began, chance for two that began together, both of fixed length, and a number. */
function ids(): () => string {
  const server = Date.now().toString(36) + randomBytes(5).toString('hex');
  let last = 0;
  return () => `${server}${++last}`;
}
