import { type AvatarId, after, type MaybePromise } from '@postern/cred';
import { type Mailbox, parseMailbox, type ReversePath } from '../address.ts';
import type { MailParameters, MessageDelivery } from '../delivery.ts';
import { Rejection } from '../reply.ts';
import { WrappedDelivery } from './wrapped-delivery.ts';

/** An avatar's own addresses: `ann@example.com`, or `@example.com` for all of that domain. Undefined is none. */
export type OwnAddresses =
  | ReadonlyMap<AvatarId, readonly string[]>
  | ((avatarId: AvatarId) => MaybePromise<readonly string[] | undefined>);

/** Who sends, and as whom. */
export interface MustMatchSenderOptions {
  /** Whose delivery it is. */
  readonly avatarId: AvatarId;
  /** Default: the avatar id itself, where it is an address. */
  readonly addresses?: OwnAddresses;
  /** Whether a message may have the null reverse-path `<>`, as notifications do (RFC 6409 §3.2, RFC 5321 §4.5.5). Default: true. */
  readonly nullReversePath?: boolean;
}

/**
 * A delivery through which an avatar sends only as itself: a reverse-path that is not among its addresses is 553 5.7.1 (RFC 6409 §6.1).
 * Domains are compared without case, local parts with it (RFC 5321 §2.4). What the message's header says is not looked at.
 */
export class MustMatchSender extends WrappedDelivery {
  readonly #options: MustMatchSenderOptions;

  constructor(delivery: MessageDelivery, options: MustMatchSenderOptions) {
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
    const { avatarId, addresses = itself, nullReversePath = true } = this.#options;
    if (reversePath === null) return nullReversePath;
    const own = typeof addresses === 'function' ? addresses(avatarId) : addresses.get(avatarId);
    return after(own, (list = []) => list.some((address) => covers(address, reversePath)));
  }
}

function itself(avatarId: AvatarId): readonly string[] {
  return typeof avatarId === 'string' && parseMailbox(avatarId) !== undefined ? [avatarId] : [];
}

/** Throws a TypeError for an address that is none: a mistake in the list must not look like one of the client's. */
function covers(address: string, { localPart, domain }: Mailbox): boolean {
  if (address.startsWith('@')) return lowerCase(address.slice(1)) === lowerCase(domain);
  const own = parseMailbox(address);
  if (own === undefined) throw new TypeError(`${address} is no address`);
  return own.localPart === localPart && lowerCase(own.domain) === lowerCase(domain);
}

/** Only of ASCII letters: `toLowerCase` makes a `k` of the Kelvin sign, and so one domain of two. */
function lowerCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase());
}
