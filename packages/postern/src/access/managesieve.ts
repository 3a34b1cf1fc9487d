import { type ManageSieveEvent, managesieve, SieveBackEnd } from '@postern/managesieve';
import { eventLog, writeProxyEntry } from '@postern/sasl-profile';
import { UsageError, underName } from '../errors.ts';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';
import { backEndFactory } from './open-back-end.ts';

/** Opens ManageSieve before the back end of the settings. */
export const openManageSieve: OpenAccessProtocol = async ({ backEnds, accessLimits }, { log }) => {
  const backEnd = backEnds.sieve;
  if (backEnd === undefined)
    throw new UsageError('--back-end: expected the ManageSieve server that sessions pass on to');
  const factory = underName('--back-end', () =>
    expectAccepted(() => backEndFactory(backEnd, (login) => new SieveBackEnd(login))),
  );
  const limits = accessLimits.sieve ?? {};
  const onEvent = logEvents<ManageSieveEvent>(log, (logger, options) => eventLog(logger, options, writeProxyEntry));
  return {
    provide: (realm) => void realm.provide(SieveBackEnd, factory),
    create: (options) => expectAccepted(() => managesieve({ ...options, limits, onEvent }), 'limits.sieve'),
    loginCommands: [],
    refusal: 'BYE (TRYLATER) "Too many connections"\r\n',
  };
};
