import { BareLineEnding, type LineError } from '@postern/conversation';
import { LoginDenied } from '@postern/cred';
import type { ClosingReason, LoginRefusal } from '@postern/sasl-profile';
import { parseCommand } from './protocol/command.ts';

/**
 * Returns the status of the reply to a refused login, without its tag (RFC 9051 §6.2.2). A denial
 * names the state of an account (RFC 5530 §3): only a client with the right proof gets one.
 */
export function replyForLogin(refusal: LoginRefusal, verb: string, error?: unknown): string {
  if (error instanceof LoginDenied) return DENIALS[error.reason];
  return refusal === 'not-offered' && verb === 'LOGIN' ? LOGIN_DISABLED : REFUSALS[refusal];
}

/** Returns the reply to a line that cannot be read, with the tag if the first octets show it. */
export function replyForLine(error: LineError): string {
  if (error instanceof BareLineEnding) return '* BYE A line ends with CR and LF';
  return `${parseCommand(error.beginning)?.tag ?? '*'} BAD [TOOBIG] Command line too long`;
}

/** The last response to a client whose connection this server closes. */
export const closings: Readonly<Record<ClosingReason, string>> = {
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
const TOO_WEAK = 'NO [CONTACTADMIN] Authentication mechanism is too weak';
const TRANSITION_NEEDED = 'NO [CONTACTADMIN] A password transition is needed';
const LOGIN_DISABLED = 'NO LOGIN is disabled, use AUTHENTICATE';

const REFUSALS: Readonly<Record<LoginRefusal, string>> = {
  'needs-tls': 'NO [PRIVACYREQUIRED] TLS is required, issue STARTTLS first',
  'not-offered': 'NO Unsupported authentication mechanism',
  cancelled: 'BAD Authentication exchange canceled',
  malformed: 'BAD Invalid SASL response',
  'too-long': 'BAD Authentication response too long',
  'unexpected-initial-response': 'BAD This mechanism takes no initial response',
  failed: FAILED,
  'mechanism-too-weak': TOO_WEAK,
  'transition-needed': TRANSITION_NEEDED,
  'no-avatar': FAILED,
  'in-use': 'NO [INUSE] Mailbox is in use',
  throttled: UNAVAILABLE,
  deferred: UNAVAILABLE,
  'too-many-failures': `${FAILED}\r\n* BYE Too many failed logins`,
};

const DENIALS: Readonly<Record<LoginDenied['reason'], string>> = {
  disabled: 'NO [CONTACTADMIN] Account is disabled',
  expired: 'NO [EXPIRED] Account or password has expired',
  'not-authorized': 'NO [AUTHORIZATIONFAILED] Not authorized',
  policy: 'NO [CONTACTADMIN] Login is not allowed',
  'transition-needed': TRANSITION_NEEDED,
  'mechanism-too-weak': TOO_WEAK,
  'too-many': UNAVAILABLE,
};
