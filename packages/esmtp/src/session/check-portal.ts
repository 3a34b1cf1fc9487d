import { Anonymous, type Portal, TrustedLogin } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import { MessageDelivery } from '../delivery.ts';
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
 * Checks that some client can log in and send mail. Without this check a server that refuses each
 * client would start, and only its first client would show the mistake.
 *
 * @throws TypeError with the missing registration.
 */
export function checkPortal({ portal, authentication, challengers, acceptsXclient }: LoginSettings): void {
  if (typeof portal?.provides !== 'function') {
    throw new TypeError('portal: expected a Portal with a realm and a checker, as new Portal(realm).register(checker)');
  }
  if (!portal.provides(MessageDelivery)) {
    throw new TypeError(
      'portal: its realm provides no MessageDelivery; call realm.provide(MessageDelivery, () => new MyDelivery()) before esmtp()',
    );
  }
  if (acceptsXclient && portal.handles(TrustedLogin)) return;
  if (authentication !== 'required' && portal.handles(Anonymous)) return;
  if (authentication === 'none') {
    throw new TypeError(
      "portal: it has no checker for Anonymous, and authentication is 'none', so each MAIL would be refused; call portal.register(new AnonymousChecker()) before esmtp()",
    );
  }
  if (challengers.some(({ credentials }) => portal.handles(credentials))) return;
  const expected = [...new Set(challengers.map(({ credentials }) => credentials.name))].join(', ');
  const anonymous = authentication === 'optional' ? ', or an AnonymousChecker' : '';
  throw new TypeError(
    `portal: it has no checker for any mechanism, so each login would fail; register a checker of one of ${expected}${anonymous} before esmtp()`,
  );
}
