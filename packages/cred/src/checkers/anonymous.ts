import { ANONYMOUS, type AvatarId } from '../avatar-id.ts';
import type { Checker } from '../checker.ts';
import { Anonymous } from '../credentials.ts';

/** Lets everybody in who does not want a name; the realm decides what such a guest gets. */
export class AnonymousChecker implements Checker<Anonymous> {
  readonly credentialInterfaces = [Anonymous] as const;

  requestAvatarId(): AvatarId {
    return ANONYMOUS;
  }
}
