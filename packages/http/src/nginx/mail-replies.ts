import type { LoginRefusal } from '@postern/sasl-profile';

/** The protocols of nginx's mail proxy. */
export type MailProtocol = 'smtp' | 'imap' | 'pop3';

/** A refusal as nginx passes it on: `535 5.7.8` is the code of SMTP, and `text` follows it. */
export interface MailReply {
  /** The code for SMTP: nginx sends 535 5.7.0 without it. Undefined for other protocols. */
  readonly code: string | undefined;
  readonly text: string;
}

/** Returns the reply of a protocol to a refused login. */
export function replyForMail(refusal: LoginRefusal, protocol: MailProtocol): MailReply {
  const kind = KINDS[refusal];
  if (protocol === 'smtp') return smtpReplies[kind];
  return { code: undefined, text: protocol === 'imap' ? imapTexts[kind] : pop3Texts[kind] };
}

/** Returns true if the client may try again on this connection. */
export function mayRetry(refusal: LoginRefusal): boolean {
  return KINDS[refusal] === 'failed';
}

type Kind = 'failed' | 'not-offered' | 'malformed' | 'too-weak' | 'transition' | 'no-avatar' | 'in-use' | 'deferred';

const KINDS = {
  failed: 'failed',
  'too-many-failures': 'failed',
  'needs-tls': 'not-offered',
  'not-offered': 'not-offered',
  malformed: 'malformed',
  'too-long': 'malformed',
  cancelled: 'malformed',
  'unexpected-initial-response': 'malformed',
  'mechanism-too-weak': 'too-weak',
  'transition-needed': 'transition',
  'no-avatar': 'no-avatar',
  'in-use': 'in-use',
  throttled: 'deferred',
  deferred: 'deferred',
} as const satisfies Record<LoginRefusal, Kind>;

/** RFC 4954 §6. */
const smtpReplies: Readonly<Record<Kind, MailReply>> = {
  failed: { code: '535 5.7.8', text: 'Authentication failed' },
  'not-offered': { code: '504 5.5.4', text: 'Unrecognized authentication type' },
  malformed: { code: '501 5.5.2', text: 'Malformed authentication response' },
  'too-weak': { code: '534 5.7.9', text: 'Authentication mechanism is too weak' },
  transition: { code: '432 4.7.12', text: 'A password transition is needed' },
  'no-avatar': { code: '535 5.7.8', text: 'Authentication failed' },
  'in-use': { code: '454 4.7.0', text: 'Temporary authentication failure' },
  deferred: { code: '454 4.7.0', text: 'Temporary authentication failure' },
};

/** The texts behind NO (RFC 9051 §6.2.2, RFC 5530 §3). */
const imapTexts: Readonly<Record<Kind, string>> = {
  failed: '[AUTHENTICATIONFAILED] Authentication failed',
  'not-offered': 'Unsupported authentication mechanism',
  malformed: 'Invalid SASL response',
  'too-weak': '[CONTACTADMIN] Authentication mechanism is too weak',
  transition: '[CONTACTADMIN] A password transition is needed',
  'no-avatar': '[CONTACTADMIN] No mailbox for this user',
  'in-use': '[INUSE] Mailbox is in use',
  deferred: '[UNAVAILABLE] Temporary authentication failure',
};

/** The texts behind -ERR (RFC 5034 §4, RFC 3206, RFC 2449 §8.1). */
const pop3Texts: Readonly<Record<Kind, string>> = {
  failed: '[AUTH] authentication failed',
  'not-offered': 'unrecognized authentication mechanism',
  malformed: 'malformed authentication response',
  'too-weak': '[AUTH] authentication mechanism is too weak',
  transition: '[AUTH] a password transition is needed',
  'no-avatar': '[SYS/PERM] no maildrop for this user',
  'in-use': '[IN-USE] maildrop already locked',
  deferred: '[SYS/TEMP] temporary authentication failure',
};
