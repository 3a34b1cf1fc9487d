import { logTo, policy } from '@postern/dovecot-auth';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';
import { directoryPortal } from './directory-portal.ts';

/** Opens Postfix's policy delegation: the senders of users, and the recipients. */
export const openPolicy: OpenAccessProtocol = async ({ accessLimits }, context) => {
  const portal = directoryPortal(context);
  const limits = accessLimits.policy ?? {};
  const onEvent = logEvents(context.log, logTo);
  return {
    provide() {},
    create: () => expectAccepted(() => policy({ portal, limits, onEvent }), 'limits.policy'),
    loginCommands: [],
    // A mail server takes a close for a temporary failure.
    refusal: '',
  };
};
