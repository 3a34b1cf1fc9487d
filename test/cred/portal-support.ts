import {
  type AvatarId,
  AvatarRealm,
  type Checker,
  checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  Portal,
  type PortalOptions,
  UsernamePassword,
} from '@postern/cred';

export abstract class Mailbox {
  abstract readonly owner: AvatarId;
}

export class MemoryMailbox extends Mailbox {
  readonly owner: AvatarId;
  constructor(owner: AvatarId) {
    super();
    this.owner = owner;
  }
}

export const joe = () => new UsernamePassword('joe', 's3cret');

export const users = () => new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });

export const mailboxes = () => new AvatarRealm().provide(Mailbox, (avatarId) => new MemoryMailbox(avatarId));

export function portalOf(checker: Checker<UsernamePassword>, options?: PortalOptions): Portal {
  return new Portal(mailboxes(), options).register(checker);
}

/** Returns a checker of passwords that calls the function. */
export function checking(requestAvatarId: Checker<UsernamePassword>['requestAvatarId']): Checker<UsernamePassword> {
  return checker([UsernamePassword], requestAvatarId);
}
