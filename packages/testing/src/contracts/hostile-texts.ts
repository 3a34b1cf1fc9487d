/** Texts with a special meaning in SQL, LDAP, paths and objects. They match no user. */
export const HOSTILE_TEXTS: readonly string[] = [
  '\0',
  '\n',
  '\r\n',
  '*',
  "' OR '1'='1",
  '*)(uid=*',
  '../../etc/passwd',
  '%s%n',
  '__proto__',
  'constructor',
  'toString',
  '\u00ad',
  '\ud800',
  'x'.repeat(100_000),
];
