/** What decides about the reply to CAPA. */
export interface CapabilityFacts {
  /** The SASL mechanisms that the connection is offered. */
  readonly mechanisms: readonly string[];
  /** True if USER and PASS work on this connection. */
  readonly takesPasswords: boolean;
  /** True if STLS works now. */
  readonly canStartTls: boolean;
  /** True after the login. */
  readonly authenticated: boolean;
}

/**
 * Returns the reply to CAPA without its last CRLF. Both states list the same capabilities (RFC 2449
 * §5), except STLS (RFC 2595 §9). APOP has no capability: the greeting announces it.
 */
export function capabilityReply({ mechanisms, takesPasswords, canStartTls, authenticated }: CapabilityFacts): string {
  const lines = ['+OK Capability list follows', 'TOP', 'UIDL', 'RESP-CODES', 'AUTH-RESP-CODE', 'PIPELINING'];
  lines.push('EXPIRE NEVER', 'UTF8 USER');
  if (takesPasswords) lines.push('USER');
  if (mechanisms.length > 0) lines.push(`SASL ${mechanisms.join(' ')}`);
  if (canStartTls && !authenticated) lines.push('STLS');
  lines.push('IMPLEMENTATION Postern', '.');
  return lines.join('\r\n');
}
