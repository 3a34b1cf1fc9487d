import { type Conversation, type Protocol, Warnings } from '@postern/conversation';
import { systemClock } from '@postern/core';
import { Anonymous, type Portal } from '@postern/cred';
import { checkRealm, EventReporter, type SessionOptions } from '@postern/sasl-profile';
import type { DovecotAuthEvent } from './events.ts';
import { MailDirectory } from './mail-directory.ts';
import { type Limits, withDefaultLimits } from './protocol/limits.ts';
import { runUserdbSession } from './session/userdb-session.ts';

/** The options of {@link dovecotUserdb}. */
export interface DovecotUserdbOptions extends Pick<SessionOptions<never, DovecotAuthEvent>, 'onEvent' | 'clock'> {
  /** Logs the mail server in without a name, for the site's `MailDirectory`. */
  readonly portal: Portal;
  /** Bounds on what one mail server may use. */
  readonly limits?: Partial<Limits>;
}

/**
 * Returns the user look-up of Dovecot's auth server as a protocol for conversations: chasquid asks
 * it which recipients exist. The protocol never rejects.
 *
 * The portal has a checker for `Anonymous`, and its realm provides a `MailDirectory`.
 *
 * @throws TypeError for a portal that has no such checker or realm.
 * @throws RangeError for a limit that is too small.
 */
export function dovecotUserdb(options: DovecotUserdbOptions): Protocol {
  const { portal, clock = systemClock, onEvent } = options;
  checkRealm(portal, MailDirectory, 'dovecotUserdb');
  if (!portal.handles(Anonymous)) {
    throw new TypeError(
      'portal: it has no checker for Anonymous, so each look-up would fail; register an AnonymousChecker before dovecotUserdb()',
    );
  }
  const settings = {
    portal,
    clock,
    limits: withDefaultLimits(options.limits),
    events: new EventReporter(onEvent, new Warnings(clock), 'dovecot-userdb'),
  };
  return Object.assign((conversation: Conversation) => runUserdbSession(conversation, settings), {
    scheme: 'dovecot-userdb',
  });
}
