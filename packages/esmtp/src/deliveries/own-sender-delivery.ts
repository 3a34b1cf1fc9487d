import { after, type MaybePromise } from '@postern/core';
import type { AvatarId } from '@postern/cred';
import type { MailParameters, MessageDelivery } from '../delivery.ts';
import { parseMailbox, type ReversePath } from '../protocol/address.ts';
import { Rejection } from '../protocol/reply.ts';
import { ForwardingDelivery } from './forwarding-delivery.ts';
import { ownsSender } from './owns-sender.ts';

/**
 * The addresses of each avatar: `ann@example.com`, or `@example.com` for all addresses of a domain.
 * A missing entry, and undefined, mean no address.
 */
export type OwnAddresses =
  | ReadonlyMap<AvatarId, readonly string[]>
  | ((avatarId: AvatarId) => MaybePromise<readonly string[] | undefined>);

/** The options of an {@link OwnSenderDelivery}. */
export interface OwnSenderDeliveryOptions {
  /** The avatar that sends through the delivery. */
  readonly avatarId: AvatarId;
  /** Default: the avatar id itself, if it is an address. */
  readonly addresses?: OwnAddresses;
  /**
   * True to accept the null reverse-path `<>` of notifications (RFC 6409 §3.2, RFC 5321 §4.5.5).
   * Default: true.
   */
  readonly nullReversePath?: boolean;
  /**
   * The characters that separate a user from a tag: the owner of `ann@example.com` may send as
   * `ann+list@example.com`. Empty for no tags. Default: `+`.
   */
  readonly recipientDelimiter?: string;
}

/**
 * A delivery through which an avatar sends only as itself. Refuses a reverse-path that is not one
 * of the avatar's addresses with 553 5.7.1 (RFC 6409 §6.1). Ignores the case of addresses, their
 * tags, and the addresses in the header.
 *
 * @example
 * ```ts
 * import { InMemoryDelivery, OwnSenderDelivery } from '@postern/esmtp';
 *
 * const addresses = new Map([['ann', ['ann@example.com', '@ann.example']]]);
 * const delivery = new OwnSenderDelivery(new InMemoryDelivery(), { avatarId: 'ann', addresses });
 * ```
 */
export class OwnSenderDelivery extends ForwardingDelivery {
  readonly #options: OwnSenderDeliveryOptions;

  constructor(delivery: MessageDelivery, options: OwnSenderDeliveryOptions) {
    super(delivery);
    this.#options = options;
  }

  override validateFrom(reversePath: ReversePath, parameters: MailParameters): MaybePromise<void> {
    return after(this.#mayUse(reversePath), (allowed) => {
      if (!allowed) throw new Rejection(553, '5.7.1', 'This sender address is not yours');
      return super.validateFrom(reversePath, parameters);
    });
  }

  #mayUse(reversePath: ReversePath): MaybePromise<boolean> {
    const { avatarId, addresses = ownId, nullReversePath = true, recipientDelimiter = '+' } = this.#options;
    if (reversePath === null) return nullReversePath;
    const own = typeof addresses === 'function' ? addresses(avatarId) : addresses.get(avatarId);
    return after(own, (list = []) => ownsSender(list, reversePath, recipientDelimiter));
  }
}

function ownId(avatarId: AvatarId): readonly string[] {
  return typeof avatarId === 'string' && parseMailbox(avatarId) !== undefined ? [avatarId] : [];
}
