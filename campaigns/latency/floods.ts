/** What a flooding connection sends. */
export interface Flood {
  /** Sent behind the greeting. */
  readonly first: string;
  /** Sent again with each answer; nothing if empty. */
  readonly batch: string;
  /** How many connections come from one address. */
  readonly perAddress: number;
  /** The protocol of the listener. Default: SMTP. */
  readonly protocol?: 'smtp' | 'pop3';
  /** Logs in first, as this name with the number of the connection. Default: no login. */
  readonly user?: string | undefined;
  /** True for a client that reads little at a time, twenty times a second. */
  readonly readsSlowly?: boolean;
}

const MAIL = 'EHLO x.example.com\r\nMAIL FROM:<a@example.com>\r\n';
const SHORT_RCPT = 'RCPT TO:<b@example.com>\r\n';
const LONG_RCPT = `RCPT TO:<b@example.com> ORCPT=rfc822;${'x'.repeat(1_900)}\r\n`;

/** The kinds of load. */
export const FLOODS: ReadonlyMap<string, Flood> = new Map<string, Flood>([
  ['EHLO', flood('EHLO x.example.com\r\n'.repeat(200))],
  ['NOOP', flood('NOOP\r\n'.repeat(500))],
  ['MAIL', flood('MAIL FROM:<a@example.com>\r\nRSET\r\n'.repeat(250))],
  ['BDAT', flood(`MAIL FROM:<a@example.com>\r\nRCPT TO:<b@example.com>\r\n${'BDAT 1\r\nx'.repeat(999)}RSET\r\n`)],
  ['recipients', { first: `${MAIL}${LONG_RCPT.repeat(1_000)}`, batch: '', perAddress: 50 }],
  ['header', { first: `${MAIL}${SHORT_RCPT}DATA\r\n${'X-Field: x\r\n'.repeat(5_000)}`, batch: '', perAddress: 50 }],
  ['idle', { first: '', batch: '', perAddress: 20 }],
  ['logins', { first: wrongLogin('EHLO x.example.com\r\n'), batch: wrongLogin(), perAddress: 1 }],
  ['POP3 NOOP', pop3('small', 'NOOP\r\n'.repeat(500))],
  ['POP3 LIST', pop3('many', 'LIST\r\n')],
  ['POP3 RETR', { ...pop3('large', 'RETR 1\r\n'.repeat(20)), readsSlowly: true }],
  ['POP3 logins', pop3('empty', 'QUIT\r\n')],
]);

function flood(batch: string): Flood {
  return { first: `EHLO x.example.com\r\n${batch}`, batch, perAddress: 1 };
}

function pop3(user: string, batch: string): Flood {
  return { first: batch, batch, perAddress: 1, protocol: 'pop3', user };
}

function wrongLogin(before = ''): string {
  return `${before}AUTH PLAIN ${Buffer.from('\0good\0wrong').toString('base64')}\r\n`;
}
