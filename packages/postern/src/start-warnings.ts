import { formatEndpoint } from '@postern/node';
import { isLocalOnly } from './local-only.ts';
import type { LogFields } from './log.ts';
import type { ListenerSettings, Settings } from './settings.ts';

/** What the log says at start of a set-up that is allowed and hardly meant. */
export interface StartWarning {
  readonly message: string;
  readonly fields: LogFields;
}

/** Returns a warning for each weakness of the settings; `acceptsGuests` is true if the operator lets clients in without a login. */
export function startWarnings(settings: Settings, acceptsGuests: boolean): readonly StartWarning[] {
  const open = settings.listeners.filter(({ endpoint }) => !isLocalOnly(endpoint));
  return [
    ...settings.listeners.flatMap((listener) => listenerWarnings(listener, settings, acceptsGuests)),
    ...(open.some(takesLogins) ? loginWarnings(settings) : []),
  ];
}

function listenerWarnings(
  listener: ListenerSettings,
  { allowCleartext }: Settings,
  acceptsGuests: boolean,
): StartWarning[] {
  const { auth, endpoint, proxy, service, tls } = listener;
  if (service !== 'submission') return [];
  const fields = { listener: formatEndpoint(endpoint) };
  const isOpen = !isLocalOnly(endpoint);
  const messages: string[] = [];
  // Behind a proxy there may be TLS up to there, and with networks for cleartext another warning says so.
  const isCleartext = tls === 'none' && auth !== 'none' && proxy === undefined && allowCleartext.length === 0;
  if (isOpen && isCleartext) messages.push(NO_TLS);
  if (isOpen && (auth === 'none' || (acceptsGuests && auth !== 'required'))) messages.push(NO_LOGIN);
  if (auth === 'optional' && !acceptsGuests) messages.push(NO_ANONYMOUS);
  return messages.map((message) => ({ message, fields }));
}

/** For listeners that clients on other machines reach. */
function loginWarnings({ memoryUsers, throttle }: Settings): StartWarning[] {
  const weak = memoryUsers.filter(({ isWeak }) => isWeak);
  return [
    ...weak.map(({ username }) => ({ message: WEAK_PASSWORD, fields: { user: username } })),
    ...(memoryUsers.length > 0 ? [{ message: MEMORY, fields: { users: memoryUsers.length } }] : []),
    ...(throttle === false ? [{ message: NO_THROTTLE, fields: {} }] : []),
  ];
}

function takesLogins({ auth, service }: ListenerSettings): boolean {
  return service === 'lmtp' ? auth !== undefined && auth !== 'none' : auth !== 'none';
}

const NO_TLS =
  'no TLS: PLAIN and LOGIN are offered to clients on this machine only, and mail can be read on its way; set --tls-cert and --tls-key';
const NO_LOGIN =
  'clients on other machines may send mail without a login; set auth=required, or listen on a loopback address';
const NO_ANONYMOUS = 'auth=optional without --auth anonymous: mail without AUTH is refused';
const WEAK_PASSWORD =
  'a password of fewer than 8 characters is soon guessed, and clients on other machines reach this server; choose a longer one';
const MEMORY =
  'memory: is for tests, and clients on other machines reach this server; name a user database in auth of the config file';
const NO_THROTTLE = 'throttle: false lets clients on other machines guess passwords without end; leave it out';
