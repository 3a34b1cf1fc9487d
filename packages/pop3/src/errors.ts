import { AvatarInUse } from '@postern/cred';

/**
 * Another session has locked the mailbox. A realm throws it when a user logs in; the client gets
 * `-ERR [IN-USE]` (RFC 2449 §8.1.2).
 */
export class MailboxInUse extends AvatarInUse {
  constructor(message = 'another session has locked the mailbox', options?: ErrorOptions) {
    super(message, options);
  }
}

/** Another program has removed the message since the login. */
export class MessageGone extends Error {
  readonly code = 'message-gone';

  constructor(message = 'another program has removed the message', options?: ErrorOptions) {
    super(message, options);
  }

  override get name(): string {
    return 'MessageGone';
  }
}
