import type { AvatarId } from '@postern/cred';
import { APOP, logTo, Mailbox, pop3, USER } from '@postern/pop3';
import { disposeOf } from '../delivery-target.ts';
import { UsageError } from '../errors.ts';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import { addressOfUser } from '../user-addresses.ts';
import { loginCommandsWith, type OpenAccessProtocol } from './access-protocol.ts';

/** Opens POP3 over the mailboxes of the settings. */
export const openPop3: OpenAccessProtocol = async (settings, { log }) => {
  const { mailboxes, recipientDelimiter, accessLimits } = settings;
  if (mailboxes === undefined) throw new UsageError('--mailboxes: expected the mailboxes that POP3 reads');
  const addressOf = (avatarId: AvatarId) => addressOfUser(avatarId, settings);
  const factory = await mailboxes.open({ log, recipientDelimiter, addressOf });
  const onEvent = logEvents(log, logTo);
  return {
    provide: (realm) => void realm.provide(Mailbox, factory),
    create: (options) => {
      const enabled = loginCommandsWith(options.challengers, LOGIN_COMMANDS);
      const disabledLoginCommands = LOGIN_COMMANDS.filter((command) => !enabled.includes(command)).map(
        ({ mechanism }) => mechanism,
      );
      const all = { ...options, disabledLoginCommands, limits: accessLimits.pop3 ?? {}, onEvent };
      return expectAccepted(() => pop3(all), 'limits.pop3');
    },
    loginCommands: LOGIN_COMMANDS,
    refusal: '-ERR [SYS/TEMP] Too many connections, try again later\r\n',
    ...(factory.prepare && { prepare: factory.prepare }),
    [Symbol.asyncDispose]: () => disposeOf(factory),
  };
};

/** USER sends the secret of PLAIN, and APOP is as weak as CRAM-MD5. */
const LOGIN_COMMANDS = [
  { ...USER, needs: ['PLAIN', 'LOGIN'] },
  { ...APOP, needs: ['CRAM-MD5'] },
] as const;
