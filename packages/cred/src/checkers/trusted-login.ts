import type { AvatarId } from '../avatar-id.ts';
import type { Checker } from '../checker.ts';
import { TrustedLogin } from '../trusted-login.ts';

/** Takes a trusted peer's word for who its client is, whoever that may be. */
export class TrustedLoginChecker implements Checker<TrustedLogin> {
  readonly credentialInterfaces = [TrustedLogin] as const;

  requestAvatarId({ username }: TrustedLogin): AvatarId {
    return username;
  }
}
