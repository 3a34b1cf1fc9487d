import { BareLineEnding, type LineError } from '@postern/conversation';
import type { ClosingReason, LoginRefusal } from '@postern/sasl-profile';
import { parseCommand, type Verb } from './protocol/command.ts';

/** Returns the reply to a refused login by AUTHENTICATE or LOGIN, without its tag. */
export function replyForLogin(refusal: LoginRefusal, verb: Verb): string {
  return refusal === 'not-offered' && verb === 'LOGIN' ? LOGIN_DISABLED : loginReplies[refusal];
}

/** Returns the reply to a line that cannot be read, with the tag if the first octets show it. */
export function replyForLine(error: LineError): string {
  if (error instanceof BareLineEnding) return '* BYE A line ends with CR and LF';
  return `${parseCommand(error.beginning)?.tag ?? '*'} BAD [TOOBIG] Command line too long`;
}

/** The last replies on connections that this server closes. */
export const closingReplies: Readonly<Record<ClosingReason, string>> = {
  'foreign-protocol': '* BYE This is an IMAP server',
  'too-many-errors': '* BYE Too many errors',
  'too-many-commands': '* BYE Too many commands without a login',
  timeout: '* BYE Autologout; took too long',
  displaced: '* BYE [UNAVAILABLE] Too many connections, try again later',
  shutdown: '* BYE [UNAVAILABLE] Shutting down, try again later',
  misconfigured: '* BYE [SERVERBUG] Internal error',
  failed: '* BYE [SERVERBUG] Internal error',
};

const FAILED = 'NO [AUTHENTICATIONFAILED] Authentication failed';
const UNAVAILABLE = 'NO [UNAVAILABLE] Temporary authentication failure';
const LOGIN_DISABLED = 'NO LOGIN is disabled, use AUTHENTICATE';

/** The replies to AUTHENTICATE and LOGIN (RFC 9051 §6.2.2, RFC 5530 §3). */
const loginReplies: Readonly<Record<LoginRefusal, string>> = {
  'needs-tls': 'NO [PRIVACYREQUIRED] TLS is required, issue STARTTLS first',
  'not-offered': 'NO Unsupported authentication mechanism',
  cancelled: 'BAD Authentication exchange canceled',
  malformed: 'BAD Invalid SASL response',
  'too-long': 'BAD Authentication response too long',
  'unexpected-initial-response': 'BAD This mechanism takes no initial response',
  failed: FAILED,
  'mechanism-too-weak': 'NO [CONTACTADMIN] Authentication mechanism is too weak',
  'transition-needed': 'NO [CONTACTADMIN] A password transition is needed',
  'no-avatar': 'NO [CONTACTADMIN] No mailbox for this user',
  'in-use': 'NO [INUSE] Mailbox is in use',
  throttled: UNAVAILABLE,
  deferred: UNAVAILABLE,
  'too-many-failures': `${FAILED}\r\n* BYE Too many failed logins`,
};
