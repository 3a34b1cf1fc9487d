/** The facts that decide about the capabilities before a login. */
export interface CapabilityFacts {
  readonly canStartTls: boolean;
  /** False if LOGIN is refused. */
  readonly allowsLogin: boolean;
  readonly mechanisms: readonly string[];
}

/** Returns the capabilities before the login, with spaces between them (RFC 9051 §7.2.2). */
export function capabilitiesBeforeLogin({ canStartTls, allowsLogin, mechanisms }: CapabilityFacts): string {
  const words = ['IMAP4rev1', 'LITERAL-', 'SASL-IR', 'ID'];
  if (canStartTls) words.push('STARTTLS');
  if (!allowsLogin) words.push('LOGINDISABLED');
  return [...words, ...mechanisms.map((name) => `AUTH=${name}`)].join(' ');
}

/**
 * Returns the capabilities of a back end after the login. Drops those of the state before it, and
 * each word that could end the response code.
 */
export function capabilitiesAfterLogin(capabilities: readonly string[]): string {
  const words = capabilities.filter((word) => CAPABILITY.test(word) && !BEFORE_LOGIN.test(word));
  return words.length === 0 ? 'IMAP4rev1' : words.join(' ');
}

/** An atom without `]` (RFC 9051 §9). */
const CAPABILITY = /^[!#$&'+,\-./0-9:;<=>?@A-Z[^_`a-z|}~]{1,64}$/;
const BEFORE_LOGIN = /^(?:STARTTLS|LOGINDISABLED|SASL-IR|AUTH=.*)$/i;
