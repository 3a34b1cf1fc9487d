import { after, type MaybePromise } from '@postern/core';
import type { AvatarId } from '@postern/cred';
import type { MailParameters, MessageDelivery } from '../delivery.ts';
import { type Mailbox, parseMailbox, type ReversePath } from '../protocol/address.ts';
import { foldCase, foldMailbox, withoutSubaddress } from '../protocol/mailbox-identity.ts';
import { Rejection } from '../protocol/reply.ts';
import { ForwardingDelivery } from './forwarding-delivery.ts';

/** An avatar's own addresses: `ann@example.com`, or `@example.com` for all of that domain. Undefined is none. */
export type OwnAddresses =
  | ReadonlyMap<AvatarId, readonly string[]>
  | ((avatarId: AvatarId) => MaybePromise<readonly string[] | undefined>);

/** Who sends, and as whom. */
export interface OwnSenderDeliveryOptions {
  /** Whose delivery it is. */
  readonly avatarId: AvatarId;
  /** Default: the avatar id itself, where it is an address. */
  readonly addresses?: OwnAddresses;
  /** Whether a message may have the null reverse-path `<>`, as notifications do (RFC 6409 §3.2, RFC 5321 §4.5.5). Default: true. */
  readonly nullReversePath?: boolean;
  /**
   * The characters that separate a tag from a user: `ann+list@example.com` is an address of who has
   * `ann@example.com`. Empty for none. Default: `+`.
   */
  readonly recipientDelimiter?: string;
}

/**
 * A delivery through which an avatar sends only as itself: a reverse-path that is not among its addresses is 553 5.7.1 (RFC 6409 §6.1).
 * Addresses are compared without case, and without a tag. What the message's header says is not looked at.
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
    const { avatarId, addresses = itself, nullReversePath = true, recipientDelimiter = '+' } = this.#options;
    if (reversePath === null) return nullReversePath;
    const own = typeof addresses === 'function' ? addresses(avatarId) : addresses.get(avatarId);
    return after(own, (list = []) => {
      const exact = foldMailbox(reversePath);
      const user = withoutSubaddress(exact, recipientDelimiter);
      return list.some((address) => covers(address, exact, user));
    });
  }
}

function itself(avatarId: AvatarId): readonly string[] {
  return typeof avatarId === 'string' && parseMailbox(avatarId) !== undefined ? [avatarId] : [];
}

/** Throws a TypeError for an address that is none: a mistake in the list must not look like one of the client's. */
function covers(address: string, exact: Mailbox, user: Mailbox): boolean {
  if (address.startsWith('@')) return foldCase(address.slice(1)) === exact.domain;
  const own = parseMailbox(address);
  if (own === undefined) throw new TypeError(`${address} is no address`);
  const { localPart, domain } = foldMailbox(own);
  return domain === exact.domain && (localPart === exact.localPart || localPart === user.localPart);
}
