import { Anonymous, type Portal, TrustedLogin } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import { checkCheckers } from '@postern/sasl-profile';
import type { Policy } from '../protocol/services.ts';

/** The settings that decide which clients can send mail. */
export interface LoginSettings {
  readonly portal: Portal;
  readonly authentication: Policy['authentication'];
  /** Empty with `authentication: 'none'`. */
  readonly challengers: readonly Challenger[];
  /** True if the server believes XCLIENT from some peers. */
  readonly acceptsXclient: boolean;
}

/**
 * Checks that some client can log in, or send mail without a login.
 *
 * @throws TypeError with the missing registration.
 */
export function checkLogins({ portal, authentication, challengers, acceptsXclient }: LoginSettings): void {
  if (acceptsXclient && portal.handles(TrustedLogin)) return;
  if (authentication !== 'required' && portal.handles(Anonymous)) return;
  if (authentication === 'none') {
    throw new TypeError(
      "portal: it has no checker for Anonymous, and authentication is 'none', so each MAIL would be refused; call portal.register(new AnonymousChecker()) before esmtp()",
    );
  }
  checkCheckers(portal, challengers, 'esmtp', authentication === 'optional' ? ', or an AnonymousChecker' : '');
}
