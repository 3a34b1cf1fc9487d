import { logTo, saslauthd } from '@postern/dovecot-auth';
import { UsageError } from '../errors.ts';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';

/** Opens the protocol of saslauthd, by which Cyrus SASL checks passwords. */
export const openSaslauthd: OpenAccessProtocol = async ({ accessLimits }, { log }) => {
  const limits = accessLimits.saslauthd ?? {};
  const onEvent = logEvents(log, logTo);
  return {
    provide() {},
    create({ portal, challengers, logUsernames }) {
      if (challengers.length === 0) {
        throw new UsageError('--mechanisms: expected PLAIN for a listener of saslauthd, which knows only passwords');
      }
      return expectAccepted(() => saslauthd({ portal, logUsernames, limits, onEvent }), 'limits.saslauthd');
    },
    loginCommands: [],
    // Cyrus SASL takes a close for a temporary failure.
    refusal: '',
  };
};
