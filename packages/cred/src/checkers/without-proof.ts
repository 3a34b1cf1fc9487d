import { ANONYMOUS, type AvatarId, type Checker } from '../checker.ts';
import { Anonymous, TrustedLogin } from '../credentials.ts';

/** Accepts every anonymous client as {@link ANONYMOUS}. The realm decides on its avatar. */
export class AnonymousChecker implements Checker<Anonymous> {
  readonly credentialInterfaces = [Anonymous] as const;

  requestAvatarId(): AvatarId {
    return ANONYMOUS;
  }
}

/** Accepts every user that a trusted peer vouches for. */
export class TrustedLoginChecker implements Checker<TrustedLogin> {
  readonly credentialInterfaces = [TrustedLogin] as const;

  requestAvatarId({ username }: TrustedLogin): AvatarId {
    return username;
  }
}
