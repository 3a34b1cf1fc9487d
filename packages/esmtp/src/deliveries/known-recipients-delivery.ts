import { after, type MaybePromise } from '@postern/core';
import type { Envelope, MailParameters, Message, MessageDelivery, RcptParameters, Recipient } from '../delivery.ts';
import type { ForwardPath, Mailbox } from '../protocol/address.ts';
import { foldMailbox } from '../protocol/mailbox-identity.ts';
import { Rejection } from '../protocol/reply.ts';
import { encodeXtext } from '../protocol/xtext.ts';
import type { RecipientResolver, Resolution } from '../recipients/local-recipients.ts';
import { ExpandedMessage } from './expanded-message.ts';
import { ForwardingDelivery } from './forwarding-delivery.ts';

/** The options of a {@link KnownRecipientsDelivery}. */
export interface KnownRecipientsDeliveryOptions {
  /**
   * True if the client may send to other domains than this server's: a user with a login. Default:
   * false.
   */
  readonly allowForeign?: boolean;
  /**
   * True if a local part may name a further route, as in `joe%example.net@example.com` and
   * `example.net!joe`. A next server that follows such routes makes this server an open relay.
   * Default: true, for a server that is the last hop.
   */
  readonly allowRoutes?: boolean;
  /**
   * The most recipients of a message whose aliases are expanded; more are refused with 452 4.5.3.
   * Default: 10,000.
   */
  readonly maxExpandedRecipients?: number;
}

/**
 * Refuses unknown recipients at RCPT, before the data: with 550 5.1.1 at a domain of this server,
 * with 550 5.7.1 at another domain. Replaces an alias by its mailboxes, each once. Each mailbox
 * keeps the address that the client named, as `originalPath` and as ORCPT (RFC 3461 §5.2.7). An
 * alias has a message when all of its mailboxes have it. One object may serve all users.
 *
 * @example
 * ```ts
 * import { InMemoryDelivery, KnownRecipientsDelivery, LocalRecipients } from '@postern/esmtp';
 *
 * const recipients = new LocalRecipients({
 *   hostname: 'mx.example.com',
 *   mailboxes: ['ann@example.com'],
 *   aliases: [['sales', ['ann']]],
 * });
 * const delivery = new KnownRecipientsDelivery(new InMemoryDelivery(), recipients);
 * ```
 */
export class KnownRecipientsDelivery extends ForwardingDelivery {
  readonly #resolver: RecipientResolver;
  readonly #allowForeign: boolean;
  readonly #allowRoutes: boolean;
  readonly #maxExpandedRecipients: number;
  /** The mailboxes of the aliases that `validateTo` has accepted. */
  readonly #targets = new WeakMap<ForwardPath, readonly Mailbox[]>();

  constructor(delivery: MessageDelivery, resolver: RecipientResolver, options: KnownRecipientsDeliveryOptions = {}) {
    super(delivery);
    this.#resolver = resolver;
    this.#allowForeign = options.allowForeign ?? false;
    this.#allowRoutes = options.allowRoutes ?? true;
    this.#maxExpandedRecipients = options.maxExpandedRecipients ?? 10_000;
  }

  override validateTo(forwardPath: ForwardPath, parameters: RcptParameters, mail?: MailParameters): MaybePromise<void> {
    // A known mailbox may name a route in its tag: `ann+x%example.net@example.com`.
    if (!this.#allowRoutes && ROUTE.test(forwardPath.localPart)) throw new Rejection(550, '5.7.1', 'Relaying denied');
    return after(this.#resolver.resolve(forwardPath), (resolution) => {
      const targets = this.#targetsOf(resolution);
      if (targets === undefined) return super.validateTo(forwardPath, parameters, mail);
      this.#targets.set(forwardPath, targets);
      return this.#validateTargets(forwardPath, parameters, targets, mail);
    });
  }

  override openMessage(envelope: Envelope): MaybePromise<Message> {
    const { recipients } = envelope;
    if (!recipients.some(({ forwardPath }) => this.#targets.has(forwardPath))) return super.openMessage(envelope);
    const expansion = new Expansion(this.#maxExpandedRecipients);
    const targets = recipients.map((recipient) => expansion.add(recipient, this.#targets.get(recipient.forwardPath)));
    const opened = super.openMessage({ ...envelope, recipients: expansion.recipients });
    return after(opened, (message) => new ExpandedMessage(message, targets, expansion.recipients.length));
  }

  /**
   * Returns undefined for an address that stays as it is. @throws Rejection for an unknown
   * recipient.
   */
  #targetsOf(resolution: Resolution): readonly Mailbox[] | undefined {
    if (resolution === 'known') return undefined;
    if (resolution === 'unknown') throw new Rejection(550, '5.1.1', 'No such mailbox here');
    if (resolution === 'foreign') {
      if (this.#allowForeign) return undefined;
      throw new Rejection(550, '5.7.1', 'Relaying denied');
    }
    // A resolver in JavaScript may return any value: only a list accepts the recipient.
    if (!Array.isArray(resolution) || resolution.length === 0) throw new TypeError('a resolver returned no resolution');
    return resolution;
  }

  /** Refuses the alias with the first refusal of a target. */
  async #validateTargets(
    originalPath: ForwardPath,
    parameters: RcptParameters,
    targets: readonly Mailbox[],
    mail: MailParameters | undefined,
  ): Promise<void> {
    const targetParameters = withOriginalRecipient({ forwardPath: originalPath, parameters });
    for (const target of targets) await super.validateTo(target, targetParameters, mail);
  }
}

/** The recipients of a message, with mailboxes in place of aliases. */
class Expansion {
  readonly recipients: Recipient[] = [];
  /** The index of each mailbox in `recipients`. */
  readonly #indexes = new Map<string, number>();
  /** The indexes of each list of targets: many tags of one alias cost its targets once. */
  readonly #indexesOf = new Map<readonly Mailbox[], readonly number[]>();
  readonly #maxSteps: number;
  #steps = 0;

  constructor(maxSteps: number) {
    this.#maxSteps = maxSteps;
  }

  /**
   * Returns the indexes of the recipients that replace one recipient. @throws Rejection for too
   * many recipients.
   */
  add(recipient: Recipient, targets: readonly Mailbox[] | undefined): readonly number[] {
    if (targets === undefined) return [this.#indexOf(recipient)];
    const known = this.#indexesOf.get(targets);
    if (known !== undefined) return known;
    const parameters = withOriginalRecipient(recipient);
    const originalPath = recipient.originalPath ?? recipient.forwardPath;
    const indexes = targets.map((forwardPath) => this.#indexOf({ forwardPath, parameters, originalPath }));
    this.#indexesOf.set(targets, indexes);
    return indexes;
  }

  #indexOf(recipient: Recipient): number {
    this.#steps += 1;
    if (this.#steps > this.#maxSteps) throw new Rejection(452, '4.5.3', 'Too many recipients');
    const key = foldMailbox(recipient.forwardPath).toString();
    const known = this.#indexes.get(key);
    if (known !== undefined) return known;
    const index = this.recipients.push(recipient) - 1;
    this.#indexes.set(key, index);
    return index;
  }
}

/**
 * Adds ORCPT: notifications name the recipient that the client named (RFC 3461 §5.2.7,
 * RFC 6533 §3).
 */
function withOriginalRecipient({ forwardPath, parameters }: Recipient): RcptParameters {
  if (parameters.orcpt !== undefined) return parameters;
  const address = forwardPath.toString();
  return { ...parameters, orcpt: forwardPath.isAscii ? `rfc822;${encodeXtext(address)}` : `utf-8;${address}` };
}

/** Some servers read `%`, `!` and a quoted `@` in a local part as a route (RFC 1123 §5.2.16). */
const ROUTE = /[%!@]/;
