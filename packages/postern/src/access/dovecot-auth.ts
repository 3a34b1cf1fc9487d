import { dovecotAuth, logTo } from '@postern/dovecot-auth';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';

/** Opens Dovecot's auth server, by which Postfix and Exim log their clients in. */
export const openDovecotAuth: OpenAccessProtocol = async ({ accessLimits }, { log }) => {
  const limits = accessLimits['dovecot-auth'] ?? {};
  const onEvent = logEvents(log, logTo);
  return {
    provide() {},
    // The list of mechanisms has these two only if the operator names them.
    create: (options) =>
      expectAccepted(() => dovecotAuth({ ...options, limits, onEvent, listGnuScram: true }), 'limits.dovecot-auth'),
    loginCommands: [],
    // A mail server reads the greeting before anything else, and takes a close for a failure.
    refusal: '',
  };
};
