import { logTo, socketmap } from '@postern/dovecot-auth';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';
import { directoryPortal } from './directory-portal.ts';

/** Opens the tables of Postfix: the owners of senders, and the recipients. */
export const openSocketmap: OpenAccessProtocol = async ({ accessLimits }, context) => {
  const portal = directoryPortal(context);
  const limits = accessLimits.socketmap ?? {};
  const onEvent = logEvents(context.log, logTo);
  return {
    provide() {},
    create: () => expectAccepted(() => socketmap({ portal, limits, onEvent }), 'limits.socketmap'),
    loginCommands: [],
    // A mail server takes a close for a temporary failure.
    refusal: '',
  };
};
