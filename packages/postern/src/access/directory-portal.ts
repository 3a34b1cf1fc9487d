import {
  AnonymousChecker,
  type AnyChecker,
  AvatarRealm,
  isUserDirectory,
  Portal,
  type UserDirectory,
} from '@postern/cred';
import { MailDirectory } from '@postern/dovecot-auth';
import { mailDirectories } from '../mail-directory.ts';
import { TrustedUserChecker } from '../trusted-user-checker.ts';
import type { AccessContext } from './access-protocol.ts';

/**
 * Returns the portal of mail servers that ask about senders and recipients. The portal of the
 * clients has no checker for `TrustedLogin`, by which a peer of XCLIENT could name any user.
 */
export function directoryPortal({ checkers, recipients, ownSenders }: AccessContext): Portal {
  const users = checkers.filter((checker): checker is AnyChecker & UserDirectory => isUserDirectory(checker));
  const realm = new AvatarRealm().provide(MailDirectory, mailDirectories({ recipients, ownSenders, users }));
  return new Portal(realm).register(new TrustedUserChecker(checkers)).register(new AnonymousChecker());
}
