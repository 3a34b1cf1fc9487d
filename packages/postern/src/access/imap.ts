import { ImapBackEnd, imap, logTo } from '@postern/imap';
import { UsageError, underName } from '../errors.ts';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';
import { backEndFactory } from './open-back-end.ts';

/** Opens IMAP before the back end of the settings. */
export const openImap: OpenAccessProtocol = async ({ backEnds, accessLimits }, { log }) => {
  const backEnd = backEnds.imap;
  if (backEnd === undefined) throw new UsageError('--back-end: expected the IMAP server that sessions pass on to');
  const factory = underName('--back-end', () =>
    expectAccepted(() => backEndFactory(backEnd, (login) => new ImapBackEnd(login))),
  );
  const limits = accessLimits.imap ?? {};
  const onEvent = logEvents(log, logTo);
  return {
    provide: (realm) => void realm.provide(ImapBackEnd, factory),
    create: (options) => expectAccepted(() => imap({ ...options, limits, onEvent }), 'limits.imap'),
    loginCommands: [],
    refusal: '* BYE [UNAVAILABLE] Too many connections, try again later\r\n',
  };
};
