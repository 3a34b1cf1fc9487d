/** What the scanners for SMTP smuggling (CVE-2023-51764 and its kin) take a bad server to end a message at. None of it does. */
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
