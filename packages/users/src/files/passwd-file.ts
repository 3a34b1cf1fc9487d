import { isLocked } from '../secrets/no-password.ts';
import type { NoUser, ParsedLine } from './parsed-line.ts';

/**
 * Reads one line of a Dovecot passwd-file:
 * `USER:PASSWORD:UID:GID:GECOS:HOME:SHELL:EXTRA_FIELDS`, of which all after PASSWORD may be left
 * out. Dovecot ignores empty lines and lines that begin with `#` or `:`. A blank is part of its
 * field.
 *
 * The extra fields decide more than the password. A field that Dovecot heeds at a login, and that a
 * user record cannot express, is a refusal of the line.
 */
export function passwdFileLine(text: string, defaultScheme = 'CRYPT'): ParsedLine | NoUser {
  if (text.trim() === '' || text.startsWith('#')) return { comment: text || undefined };
  const [name = '', field, , , , , , ...extra] = text.split(':');
  if (name === '') return { malformed: 'has no name before the ":"; expected USER:{SCHEME}PASSWORD' };
  if (field === undefined) return { malformed: 'has no ":"; expected USER:{SCHEME}PASSWORD' };
  // Dovecot joins the rest: a value such as userdb_mail=maildir:~/Maildir has colons of its own.
  const fields = extraFields(extra.join(':'));
  const refusalReasons = fields.flatMap((key) => refusalReason(key) ?? []);
  const unknown = fields.filter((key) => !isKnown(key));
  return {
    name,
    secret: secretOf(field, defaultScheme),
    ...(fields.some((key) => DISABLING.has(key)) && { enabled: false as const }),
    refusalReasons,
    notes: unknown.map((key) => `has the extra field ${JSON.stringify(key)}, which has no effect`),
  };
}

/**
 * Returns the names of the extra fields. A field is true if it is there: `nologin=no` means
 * `nologin`. A suffix `:protected` of the name changes only in which order fields are set.
 */
function extraFields(text: string): string[] {
  return text
    .split(/[ \t]+/)
    .map((field) => field.split('=', 1)[0]?.split(':', 1)[0] ?? '')
    .filter((key) => key !== '');
}

function secretOf(field: string, defaultScheme: string): string | undefined {
  if (isLocked(field)) return undefined;
  if (field.startsWith('{')) return field;
  // libpam-pwdfile writes the scheme after the hash.
  const pam = /^([^$].*)\[(13|34|56)\]$/s.exec(field);
  if (pam !== null) return `{${PAM_SCHEMES.get(pam[2] ?? '')}}${pam[1]}`;
  if (defaultScheme.toUpperCase() === 'CRYPT' && field.startsWith('$')) return field;
  return `{${defaultScheme}}${field}`;
}

function refusalReason(key: string): string | undefined {
  if (NETWORKS.has(key)) return `has ${key}, which limits the networks of the client; this is not checked here`;
  if (IDENTITY.has(key)) return `has ${key}, which gives the user another name; this is not possible here`;
  return REFUSED.get(key);
}

function isKnown(key: string): boolean {
  return (
    DISABLING.has(key) ||
    refusalReason(key) !== undefined ||
    WITHOUT_EFFECT.has(key) ||
    /^(userdb|forward|event)_/.test(key)
  );
}

const PAM_SCHEMES: ReadonlyMap<string, string> = new Map([
  ['13', 'CRYPT'],
  ['34', 'PLAIN-MD5'],
  ['56', 'DIGEST-MD5'],
]);

/** With these fields Dovecot refuses the right password. */
const DISABLING: ReadonlySet<string> = new Set(['nologin', 'fail']);

const NETWORKS: ReadonlySet<string> = new Set(['allow_nets', 'allow_real_nets']);

const IDENTITY: ReadonlySet<string> = new Set([
  'user',
  'username',
  'domain',
  'login_user',
  'original_user',
  'auth_user',
  'userdb_user',
  'userdb_username',
  'userdb_domain',
]);

const REFUSED: ReadonlyMap<string, string> = new Map([
  ['nopassword', 'has nopassword, which lets the user in with every password; expected a hash'],
  ['noauthenticate', 'has noauthenticate, which leaves the password to another database'],
  ['delay_until', 'has delay_until, which delays logins until a time; this is not possible here'],
  ['password', 'has its password in the extra fields; expected it in the second field'],
]);

/** Fields for proxies and for Kerberos. They do not change who may log in with the password. */
const WITHOUT_EFFECT: ReadonlySet<string> = new Set([
  'nodelay',
  'reason',
  'k5principals',
  'master',
  'proxy',
  'proxy_maybe',
  'proxy_always',
  'proxy_mech',
  'proxy_master',
  'proxy_noauth',
  'proxy_nopipelining',
  'proxy_not_trusted',
  'proxy_refresh',
  'proxy_redirect_reauth',
  'proxy_timeout',
  'host',
  'hostip',
  'source_ip',
  'port',
  'protocol',
  'destuser',
  'pass',
  'ssl',
  'starttls',
]);
