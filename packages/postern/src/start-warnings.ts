import { formatEndpoint, isLocalOnly } from '@postern/node';
import type { AccessListenerSettings, ListenerSettings } from './listener-settings.ts';
import { isAccess, isAuthServer, isDirectory, isSmtp } from './listener-url.ts';
import type { LogFields } from './log.ts';
import type { Settings } from './settings.ts';
import { isQualifiedDomain, ownDomains } from './user-addresses.ts';
import { LITERAL_PASSWORD } from './user-store-spec.ts';

/** A warning in the log at the start: of a configuration that works and is probably a mistake. */
export interface StartWarning {
  readonly message: string;
  readonly fields: LogFields;
}

/**
 * Returns a warning for each weakness of the settings.
 *
 * @param acceptsAnonymous True if the operator lets anonymous clients in.
 */
export function startWarnings(settings: Settings, acceptsAnonymous: boolean): readonly StartWarning[] {
  const open = settings.listeners.filter(({ endpoint }) => !isLocalOnly(endpoint));
  return [
    ...settings.exposedDatabases.map((auth) => ({ message: LITERAL_PASSWORD, fields: { auth } })),
    ...unreadableWarnings(settings),
    ...settings.listeners.flatMap((listener) => listenerWarnings(listener, settings, acceptsAnonymous)),
    ...(open.some(takesLogins) ? loginWarnings(settings) : []),
  ];
}

function listenerWarnings(
  listener: ListenerSettings,
  { allowCleartext }: Settings,
  acceptsAnonymous: boolean,
): StartWarning[] {
  if (isAuthServer(listener)) return serverWarnings(listener);
  const { endpoint, proxy, tls } = listener;
  const auth = isSmtp(listener) ? listener.auth : 'required';
  if (isSmtp(listener) && listener.service !== 'submission') return [];
  const fields = { listener: formatEndpoint(endpoint) };
  const isOpen = !isLocalOnly(endpoint);
  const messages: string[] = [];
  // A proxy may have TLS itself, and networks for cleartext cause a warning of their own.
  const isCleartext = tls === 'none' && auth !== 'none' && proxy === undefined && allowCleartext.length === 0;
  if (isOpen && isCleartext) messages.push(NO_TLS);
  if (isOpen && (auth === 'none' || (acceptsAnonymous && auth !== 'required'))) messages.push(NO_LOGIN);
  if (auth === 'optional' && !acceptsAnonymous) messages.push(NO_ANONYMOUS);
  return messages.map((message) => ({ message, fields }));
}

/** Returns the warnings of a listener whose clients are servers. */
function serverWarnings(listener: AccessListenerSettings): StartWarning[] {
  const { endpoint, mode = 0, nginxSecret, proxy, tls } = listener;
  const fields = { listener: formatEndpoint(endpoint) };
  const isOpen = !isLocalOnly(endpoint) || (mode & 0o006) !== 0;
  const messages: string[] = [];
  if (isOpen && isDirectory(listener)) messages.push(OPEN_DIRECTORY);
  else if (isOpen && nginxSecret === undefined) messages.push(OPEN_AUTH_SERVER);
  if (!isLocalOnly(endpoint) && !isDirectory(listener) && tls === 'none' && proxy === undefined) {
    messages.push(CLEARTEXT_AUTH_SERVER);
  }
  return messages.map((message) => ({ message, fields }));
}

/** Submission refuses an address whose domain has one label (RFC 6409 §4.2). */
function unreadableWarnings(settings: Settings): StartWarning[] {
  const { listeners, mailboxes, deliver } = settings;
  const [domain = ''] = ownDomains(settings);
  const delivers = mailboxes !== undefined && mailboxes === deliver.mailboxes;
  const reads = delivers && listeners.some(({ service }) => service === 'pop3');
  const submits = listeners.some(({ service }) => service === 'submission');
  if (!reads || !submits || isQualifiedDomain(domain)) return [];
  return [{ message: UNQUALIFIED, fields: { domain } }];
}

/** Returns the warnings for logins at listeners that other machines reach. */
function loginWarnings({ memoryUsers, throttle }: Settings): StartWarning[] {
  const weak = memoryUsers.filter(({ isWeak }) => isWeak);
  return [
    ...weak.map(({ username }) => ({ message: WEAK_PASSWORD, fields: { user: username } })),
    ...(memoryUsers.length > 0 ? [{ message: MEMORY, fields: { users: memoryUsers.length } }] : []),
    ...(throttle === false ? [{ message: NO_THROTTLE, fields: {} }] : []),
  ];
}

function takesLogins(listener: ListenerSettings): boolean {
  if (isAccess(listener)) return !isDirectory(listener);
  const { auth, service } = listener;
  return service === 'lmtp' ? auth !== undefined && auth !== 'none' : auth !== 'none';
}

const NO_TLS =
  'no TLS: PLAIN and LOGIN are offered to clients on this machine only, and the network can read mail; set --tls-cert and --tls-key';
const OPEN_AUTH_SERVER =
  'each program that reaches this auth server can guess passwords in the name of any client address; use a UNIX socket with mode=660 and group=, or a loopback address';
const CLEARTEXT_AUTH_SERVER =
  'passwords cross the network to this auth server without TLS; use a UNIX socket, a loopback address or a tunnel';
const OPEN_DIRECTORY =
  'each program that reaches this listener can find out which addresses exist; use a UNIX socket with mode=660 and group=, or a loopback address';
const NO_LOGIN =
  'clients on other machines may send mail without a login; set auth=required, or listen on a loopback address';
const NO_ANONYMOUS = 'auth=optional without --auth anonymous: mail without AUTH is refused';
const WEAK_PASSWORD =
  'an attacker can guess a password of fewer than 8 characters, and clients on other machines reach this server; choose a longer one';
const MEMORY =
  'memory: is for tests, and clients on other machines reach this server; keep users in a database: --auth sqlite:PATH, see postern help user';
const UNQUALIFIED =
  'a user without a domain in the name reads mail at this domain, which submission refuses; set --domains, or --hostname';
const NO_THROTTLE = 'throttle: false lets clients on other machines guess passwords without limit; remove it';
