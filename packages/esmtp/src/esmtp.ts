import { randomBytes } from 'node:crypto';
import type { Conversation, Protocol } from '@postern/conversation';
import type { Address } from '@postern/core';
import type { AvatarId, Mind, Portal } from '@postern/cred';
import { type SessionOptions, sessionSettings } from '@postern/sasl-profile';
import { MessageDelivery } from './delivery.ts';
import type { EsmtpEvent } from './events.ts';
import { DateCache } from './message/received.ts';
import { readersOf } from './protocol/extension.ts';
import { extensions } from './protocol/extensions.ts';
import { type Limits, withDefaultLimits } from './protocol/limits.ts';
import { phasesOf, verbsOf } from './protocol/phases.ts';
import { Reply, ReplyCache } from './protocol/reply.ts';
import { type Policy, type Service, services } from './protocol/services.ts';
import { toleranceOf } from './protocol/tolerance.ts';
import { checkLogins } from './session/check-portal.ts';
import { EhloReplies } from './session/ehlo-replies.ts';
import { runSession } from './session/session.ts';
import type { Settings } from './session/settings.ts';
import { State } from './session/state.ts';

/** The options of {@link esmtp}. */
export interface EsmtpOptions extends SessionOptions<Limits, EsmtpEvent>, Partial<Policy> {
  /**
   * The name of this server in its greeting, its replies and its `Received:` fields: an ASCII
   * domain or an address literal. A function chooses the name for each connection, and again after
   * STARTTLS and XCLIENT: by `mind.local`, or by `mind.tls?.serverName`. If the function fails or
   * returns an invalid name, the client gets 421 and the listener an error of the operator.
   */
  readonly hostname: string | ((mind: Mind) => string);
  /** Logs clients in, for an avatar that is a {@link MessageDelivery}. */
  readonly portal: Portal;
  /**
   * The purpose of the listener; it sets the defaults of the {@link Policy}. Default: submission.
   */
  readonly service?: Service;
  /**
   * Returns true if this user's `AUTH=` parameter of MAIL is passed on to the delivery (RFC 4954
   * §5). Default: false for each user.
   */
  readonly trustAuthParameter?: (mind: Mind, avatarId: AvatarId) => boolean;
  /**
   * Returns true for peers that may send XCLIENT, by the address of the connection itself.
   * `networks` of `@postern/node` makes such a function from a list. Default: false for each peer.
   */
  readonly xclient?: (peer: Address) => boolean;
  /**
   * True accepts more than the grammar, for printers, cameras and old systems: addresses without
   * angle brackets, dots anywhere in a local part (passed on unchanged), AUTH after HELO, base64
   * without padding. Line endings and BDAT stay strict. Default: false.
   */
  readonly lenient?: boolean;
  /**
   * Extensions that are neither offered nor accepted, for a delivery that lacks them. Default:
   * none.
   */
  readonly disabledExtensions?: readonly OptionalExtension[];
  /** Bounds on what one client may use. Default: {@link defaultLimits}. */
  readonly limits?: Partial<Limits>;
}

/**
 * The extensions that {@link EsmtpOptions.disabledExtensions} may name. BINARYMIME needs CHUNKING.
 */
export const optionalExtensions = ['BINARYMIME', 'CHUNKING', 'DSN', 'LIMITS', 'REQUIRETLS', 'SMTPUTF8'] as const;

/** The keyword of an extension that a server may disable. */
export type OptionalExtension = (typeof optionalExtensions)[number];

/**
 * Returns the ESMTP server (RFC 5321, RFC 4954, RFC 6409), or the LMTP server (RFC 2033), as a
 * protocol for conversations. The transport of a connection says which TLS its endpoint requires.
 * The protocol never rejects.
 *
 * Register checkers and avatars before this call: it checks that some client can send mail.
 *
 * @example
 * ```ts
 * import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
 * import { esmtp, type Message, MessageDelivery } from '@postern/esmtp';
 *
 * class DiscardDelivery extends MessageDelivery {
 *   validateFrom(): void {}
 *   validateTo(): void {}
 *   openMessage(): Message {
 *     return { write() {}, end() {}, abort() {} };
 *   }
 * }
 *
 * const users = new InMemoryUsernamePasswordDatabaseDontUse();
 * users.addUser('ann', 'secret');
 * const realm = new AvatarRealm().provide(MessageDelivery, () => new DiscardDelivery());
 * const portal = new Portal(realm).register(users);
 * const protocol = esmtp({ hostname: 'mx.example.com', portal });
 * ```
 *
 * @throws TypeError for an option that cannot work: no checker lets any client in, the realm
 * provides no {@link MessageDelivery}, a hostname or a keyword is invalid.
 * @throws RangeError for a limit that is too small.
 */
export function esmtp(options: EsmtpOptions): Protocol {
  const settings = settingsOf(options);
  return Object.assign((conversation: Conversation) => runSession(new State(conversation, settings)), {
    scheme: settings.protocol,
  });
}

function settingsOf(options: EsmtpOptions): Settings {
  const { service = 'submission', portal, xclient } = options;
  const policy = policyOf(service, options);
  const protocol = service === 'lmtp' ? 'lmtp' : 'smtp';
  const tolerance = toleranceOf(service, options.lenient ?? false);
  const disabledExtensions = disabledOf(options.disabledExtensions);
  const { authentication } = policy;
  const sessions = sessionSettings<MessageDelivery, Limits, EsmtpEvent>(
    authentication === 'none' ? { ...options, challengers: [] } : options,
    {
      protocol,
      avatar: MessageDelivery,
      limits: withDefaultLimits(options.limits),
      checkLogins: (challengers) =>
        checkLogins({ portal, authentication, challengers, acceptsXclient: xclient !== undefined }),
    },
  );
  const phases = phasesOf(protocol, tolerance);
  const offered = extensions.filter(({ keyword }) => !disabledExtensions.has(keyword));
  return {
    ...sessions,
    protocol,
    service,
    phases,
    verbs: verbsOf(phases),
    tolerance,
    ...policy,
    trustAuthParameter: options.trustAuthParameter ?? (() => false),
    xclient: xclient ?? (() => false),
    disabledExtensions,
    mailReaders: readersOf(offered.flatMap(({ mail = [] }) => mail)),
    rcptReaders: readersOf(offered.flatMap(({ rcpt = [] }) => rcpt)),
    dates: new DateCache(),
    ehloReplies: new EhloReplies(offered),
    heloReplies: new ReplyCache((name) => new Reply(250, undefined, name)),
    quitReplies: new ReplyCache((name) => new Reply(221, '2.0.0', `${name} closing the connection`)),
    nextId: messageIds(),
  };
}

/** Returns the keywords of the disabled extensions. @throws TypeError for any other word. */
function disabledOf(disabled: readonly OptionalExtension[] = []): ReadonlySet<string> {
  const keywords = new Set<string>(disabled);
  const unknown = disabled.find((keyword) => !optionalExtensions.includes(keyword));
  if (unknown !== undefined) {
    const known = optionalExtensions.join(', ');
    throw new TypeError(`disabledExtensions: expected one of ${known}, not ${JSON.stringify(unknown)}`);
  }
  return keywords.has('CHUNKING') ? keywords.add('BINARYMIME') : keywords;
}

/** Returns the service's policy with the given overrides. @throws TypeError for an unknown word. */
function policyOf(service: Service, overrides: Partial<Policy>): Policy {
  const policy = Object.hasOwn(services, service) ? services[service] : undefined;
  if (policy === undefined) {
    throw new TypeError(`service: expected one of ${Object.keys(services).join(', ')}, not ${JSON.stringify(service)}`);
  }
  const newlines = overrides.newlines ?? policy.newlines;
  if (newlines !== 'reject' && newlines !== 'normalize') {
    throw new TypeError(`newlines: expected reject or normalize, not ${JSON.stringify(newlines)}`);
  }
  return {
    authentication: overrides.authentication ?? policy.authentication,
    requireQualifiedDomains: overrides.requireQualifiedDomains ?? policy.requireQualifiedDomains,
    addMissingHeaders: overrides.addMissingHeaders ?? policy.addMissingHeaders,
    newlines,
    removeBcc: overrides.removeBcc ?? policy.removeBcc,
    omitClientFromReceived: overrides.omitClientFromReceived ?? policy.omitClientFromReceived,
  };
}

/**
 * Returns a function that makes ids, unique in time and on this host: the server's start time,
 * random digits for servers that start in the same millisecond, and a counter.
 */
function messageIds(): () => string {
  // Both parts have a fixed length, so two servers never make the same id.
  const server = Date.now().toString(36) + randomBytes(5).toString('hex');
  let last = 0;
  return () => `${server}${++last}`;
}
