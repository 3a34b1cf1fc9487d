import { Anonymous, type Portal, TrustedLogin } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import { MessageDelivery } from '../delivery.ts';
import type { Policy } from '../protocol/services.ts';

/** The parts of the options that decide who can get in. */
export interface Entrances {
  readonly portal: Portal;
  readonly authentication: Policy['authentication'];
  /** Empty with `authentication: 'none'`. */
  readonly challengers: readonly Challenger[];
  /** True if some peers may say XCLIENT. */
  readonly takesXclient: boolean;
}

/**
 * Checks that some client can get in and send mail. Such a server would refuse every client, and only the first one would
 * show that.
 *
 * @throws TypeError that says what to register.
 */
export function checkPortal({ portal, authentication, challengers, takesXclient }: Entrances): void {
  if (portal === undefined) throw new TypeError('portal: a Portal is wanted, with a realm and a checker');
  if (!portal.provides(MessageDelivery)) {
    throw new TypeError(
      'portal: its realm provides no MessageDelivery; call realm.provide(MessageDelivery, () => new MyDelivery()) before esmtp()',
    );
  }
  if (takesXclient && portal.handles(TrustedLogin)) return;
  if (authentication !== 'required' && portal.handles(Anonymous)) return;
  if (authentication === 'none') {
    throw new TypeError(
      "portal: no checker for Anonymous, and authentication is 'none', so that every MAIL is refused; call portal.register(new AnonymousChecker()) before esmtp()",
    );
  }
  if (challengers.some(({ credentials }) => portal.handles(credentials))) return;
  const wanted = [...new Set(challengers.map(({ credentials }) => credentials.name))].join(', ');
  const anonymous = authentication === 'optional' ? ', or an AnonymousChecker' : '';
  throw new TypeError(
    `portal: no checker for any of the mechanisms, so that nobody can log in; register a checker of one of ${wanted}${anonymous} before esmtp()`,
  );
}
