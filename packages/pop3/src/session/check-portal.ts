import type { Portal } from '@postern/cred';
import type { Challenger } from '@postern/sasl';
import { Mailbox } from '../mailbox.ts';

/**
 * Checks that some client can log in and read mail. Without this check a server that refuses each
 * client would start, and only its first client would show the mistake. `challengers` includes USER
 * and APOP.
 *
 * @throws TypeError with the missing registration.
 */
export function checkPortal(portal: Portal, challengers: readonly Challenger[]): void {
  if (typeof portal?.provides !== 'function') {
    throw new TypeError('portal: expected a Portal with a realm and a checker, as new Portal(realm).register(checker)');
  }
  if (!portal.provides(Mailbox)) {
    throw new TypeError(
      'portal: its realm provides no Mailbox; call realm.provide(Mailbox, (avatarId) => new MyMailbox(avatarId)) before pop3()',
    );
  }
  if (challengers.some(({ credentials }) => portal.handles(credentials))) return;
  const expected = [...new Set(challengers.map(({ credentials }) => credentials.name))].join(', ');
  throw new TypeError(
    `portal: it has no checker for any mechanism, so each login would fail; register a checker of one of ${expected} before pop3()`,
  );
}
