/**
 * Octets at which a vulnerable server ends a message, from scanners for SMTP smuggling
 * (CVE-2023-51764 and related). None of them ends a message (RFC 5321 §2.3.8).
 */
export const SMUGGLING: readonly string[] = [
  '\n.\n',
  '\n.\r',
  '\r.\n',
  '\r.\r',
  '\n.\r\n',
  '\r.\r\n',
  '\r\n.\n',
  '\r\n.\r',
  '\r\n.\r\r\n',
  '\r\r\n.\r\r\n',
  '\r\n\0.\r\n',
];
