import { after, type MaybePromise } from '@postern/core';
import type { Envelope, MailParameters, Message, MessageDelivery, RcptParameters, Recipient } from '../delivery.ts';
import type { ForwardPath, Mailbox } from '../protocol/address.ts';
import { foldMailbox } from '../protocol/mailbox-identity.ts';
import { Rejection } from '../protocol/reply.ts';
import { encodeXtext } from '../protocol/xtext.ts';
import type { RecipientResolver, Resolution } from '../recipients/recipient-resolver.ts';
import { ExpandedMessage } from './expanded-message.ts';
import { ForwardingDelivery } from './forwarding-delivery.ts';

/** What a client may do beyond sending to the recipients that are known. */
export interface KnownRecipientsDeliveryOptions {
  /** True if the client may send to domains that are not ours: a user who has logged in. Default: false. */
  readonly allowForeign?: boolean;
  /**
   * True if a local part may name a further route, as `joe%example.net@example.com` and `example.net!joe` do. A next server that
   * follows such routes for us would make us an open relay. Default: true, for a place where mail ends.
   */
  readonly allowRoutes?: boolean;
  /** The most recipients that one message may have once its aliases are expanded; more are 452 4.5.3. Default: 10,000. */
  readonly maxExpandedRecipients?: number;
}

/**
 * Wraps a delivery and refuses unknown recipients at RCPT, before the data: 550 5.1.1 at a domain that is ours, 550 5.7.1 at another.
 * An alias is replaced by the mailboxes that it leads to, each once; each keeps the address that the client named (`originalPath`, and
 * ORCPT of RFC 3461 §5.2.7). An alias has a message when all of its mailboxes have it. One object may serve all users.
 *
 * @example
 * ```ts
 * import { KnownRecipientsDelivery, LocalRecipients, type MessageDelivery } from '@postern/esmtp';
 *
 * declare const maildirs: MessageDelivery;
 * const resolver = new LocalRecipients({
 *   hostname: 'mx.example.com',
 *   mailboxes: ['ann@example.com'],
 * });
 * const delivery = new KnownRecipientsDelivery(maildirs, resolver);
 * ```
 */
export class KnownRecipientsDelivery extends ForwardingDelivery {
  readonly #resolver: RecipientResolver;
  readonly #allowForeign: boolean;
  readonly #allowRoutes: boolean;
  readonly #maxExpandedRecipients: number;
  /** The mailboxes that aliases led to when the client named them. */
  readonly #targets = new WeakMap<ForwardPath, readonly Mailbox[]>();

  constructor(delivery: MessageDelivery, resolver: RecipientResolver, options: KnownRecipientsDeliveryOptions = {}) {
    super(delivery);
    this.#resolver = resolver;
    this.#allowForeign = options.allowForeign ?? false;
    this.#allowRoutes = options.allowRoutes ?? true;
    this.#maxExpandedRecipients = options.maxExpandedRecipients ?? 10_000;
  }

  override validateTo(forwardPath: ForwardPath, parameters: RcptParameters, mail?: MailParameters): MaybePromise<void> {
    // Also where the mailbox is known: with a tag, `ann+x%example.net@example.com` is.
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
    const indexes = recipients.map((recipient) => expansion.add(recipient, this.#targets.get(recipient.forwardPath)));
    const opened = super.openMessage({ ...envelope, recipients: expansion.recipients });
    return after(opened, (message) => new ExpandedMessage(message, indexes));
  }

  /** Undefined if the address is taken as it is. Throws a Rejection where nobody has it. */
  #targetsOf(resolution: Resolution): readonly Mailbox[] | undefined {
    if (resolution === 'known') return undefined;
    if (resolution === 'unknown') throw new Rejection(550, '5.1.1', 'No such mailbox here');
    if (resolution === 'foreign') {
      if (this.#allowForeign) return undefined;
      throw new Rejection(550, '5.7.1', 'Relaying denied');
    }
    // A resolver may be JavaScript: what is no list is no word that somebody has the mail.
    if (!Array.isArray(resolution) || resolution.length === 0) throw new TypeError('a resolver returned no resolution');
    return resolution;
  }

  /** The first refusal of a target is the alias's. */
  async #validateTargets(
    originalPath: ForwardPath,
    parameters: RcptParameters,
    targets: readonly Mailbox[],
    mail: MailParameters | undefined,
  ): Promise<void> {
    const passedOn = parametersOf({ forwardPath: originalPath, parameters });
    for (const target of targets) await super.validateTo(target, passedOn, mail);
  }
}

/** The recipients of a message whose aliases are replaced. */
class Expansion {
  readonly recipients: Recipient[] = [];
  readonly #indexes = new Map<string, number>();
  /** Of targets that came before: many tags of one alias cost its targets once. */
  readonly #known = new Map<readonly Mailbox[], readonly number[]>();
  readonly #maxSteps: number;
  #steps = 0;

  constructor(maxSteps: number) {
    this.#maxSteps = maxSteps;
  }

  /** Returns the indexes of the recipients that one recipient has become. Throws a Rejection if there are too many. */
  add(recipient: Recipient, targets: readonly Mailbox[] | undefined): readonly number[] {
    if (targets === undefined) return [this.#indexOf(recipient)];
    const known = this.#known.get(targets);
    if (known !== undefined) return known;
    const parameters = parametersOf(recipient);
    const originalPath = recipient.originalPath ?? recipient.forwardPath;
    const indexes = targets.map((forwardPath) => this.#indexOf({ forwardPath, parameters, originalPath }));
    this.#known.set(targets, indexes);
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

/** Notifications name the recipient that the client named (RFC 3461 §5.2.7, RFC 6533 §3). */
function parametersOf({ forwardPath, parameters }: Recipient): RcptParameters {
  if (parameters.orcpt !== undefined) return parameters;
  const address = forwardPath.toString();
  return { ...parameters, orcpt: forwardPath.isAscii ? `rfc822;${encodeXtext(address)}` : `utf-8;${address}` };
}

/** Servers exist that read `%`, `!` and a quoted `@` in a local part as a route (RFC 1123 §5.2.16). */
const ROUTE = /[%!@]/;
