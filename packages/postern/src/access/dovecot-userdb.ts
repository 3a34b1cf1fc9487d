import { dovecotUserdb, logTo } from '@postern/dovecot-auth';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';
import { directoryPortal } from './directory-portal.ts';

/** Opens the user look-ups of Dovecot's auth server, by which chasquid finds recipients. */
export const openDovecotUserdb: OpenAccessProtocol = async ({ accessLimits }, context) => {
  const portal = directoryPortal(context);
  const limits = accessLimits['dovecot-userdb'] ?? {};
  const onEvent = logEvents(context.log, logTo);
  return {
    provide() {},
    create: () => expectAccepted(() => dovecotUserdb({ portal, limits, onEvent }), 'limits.dovecot-userdb'),
    loginCommands: [],
    // A mail server takes a close for a temporary failure.
    refusal: '',
  };
};
