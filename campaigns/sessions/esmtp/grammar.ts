import type { Random } from '../../fuzz/random.ts';
import { mutated } from '../mutated.ts';
import type { Script } from '../protocol.ts';
import { base64 } from '../secrets.ts';

/**
 * Makes a session that is valid in most places: transactions and logins in some order, with faults
 * in some lines.
 */
export function makeScript(random: Random, isLmtp: boolean): Script {
  const hello = isLmtp ? 'LHLO client.example.org\r\n' : 'EHLO client.example.org\r\n';
  const before = steps(random, hello, isLmtp) + TERMINATORS[random.below(4)];
  if (random.below(4) > 0) return { plain: before + TERMINATORS[0] + END, afterStartTls: undefined };
  const injected = random.below(6) === 0 ? 'NOOP\r\nRSET\r\n' : '';
  return {
    plain: `${before}${TERMINATORS[0]}STARTTLS\r\n${injected}`,
    afterStartTls: steps(random, hello, isLmtp) + TERMINATORS[0] + END,
  };
}

function steps(random: Random, hello: string, isLmtp: boolean): string {
  let said = random.below(12) === 0 ? '' : hello;
  for (let count = random.below(10); count >= 0; count--) {
    const step = random.below(3) === 0 ? transaction(random, isLmtp) : line(random, isLmtp);
    said += random.below(8) === 0 ? mutated(random, step, ODDITIES) : step;
  }
  return said;
}

function line(random: Random, isLmtp: boolean): string {
  return random.pick(isLmtp ? LINES : [...LINES, ...CHUNKS]);
}

function transaction(random: Random, isLmtp: boolean): string {
  const recipients = Array.from({ length: 1 + random.below(3) }, () => random.pick(RECIPIENTS)).join('');
  const body = Array.from({ length: random.below(8) }, () => random.pick(TEXT)).join('');
  const login = random.below(2) === 0 ? random.pick(LOGINS) : '';
  if (!isLmtp && random.below(3) === 0) {
    const cut = random.below(body.length + 1);
    const chunks = `BDAT ${cut}\r\n${body.slice(0, cut)}BDAT ${body.length - cut} LAST\r\n${body.slice(cut)}`;
    return login + random.pick(SENDERS) + recipients + chunks;
  }
  return `${login}${random.pick(SENDERS)}${recipients}DATA\r\n${body}\r\n.\r\n`;
}

const LOGINS = [
  `AUTH PLAIN ${base64('\0ann\0right-Secret-1')}\r\n`,
  `AUTH PLAIN\r\n${base64('\0ann\0right-Secret-1')}\r\n`,
  `AUTH PLAIN ${base64('\0ann\0wrong-Secret-2')}\r\n`,
  `AUTH LOGIN\r\n${base64('ann')}\r\n${base64('right-Secret-1')}\r\n`,
  `AUTH LOGIN ${base64('ann')}\r\n${base64('wrong-Secret-2')}\r\n`,
  `AUTH CRAM-MD5\r\n${base64('ann 00112233445566778899aabbccddeeff')}\r\n`,
  `AUTH SCRAM-SHA-256 ${base64('n,,n=ann,r=fyko+d2lbbFgONRv9qkxdawL')}\r\n${base64('c=biws,r=x,p=YQ==')}\r\n`,
  `AUTH SCRAM-SHA-1 ${base64('n,,n=ann,r=fyko+d2lbbFgONRv9qkxdawL')}\r\n*\r\n`,
  `AUTH ANONYMOUS ${base64('trace@example.com')}\r\n`,
  'AUTH PLAIN wrong-Secret-2\r\n',
  'AUTH XYZZY =\r\n',
  'AUTH LOGIN\r\n*\r\n',
  'AUTH\r\n',
];
const SENDERS = [
  'MAIL FROM:<>\r\n',
  'MAIL FROM:<ann@example.com>\r\n',
  'MAIL FROM:<ann@example.com> SIZE=100 BODY=8BITMIME\r\n',
  'MAIL FROM:<\xc3\xa4nn@example.com> SMTPUTF8 BODY=BINARYMIME RET=HDRS ENVID=a+2Bb\r\n',
  'MAIL FROM:<ann@example.com> SIZE=99999999\r\n',
];
const RECIPIENTS = [
  'RCPT TO:<bob@example.com>\r\n',
  'RCPT TO:<"b o b"@[192.0.2.1]> NOTIFY=SUCCESS,FAILURE ORCPT=rfc822;bob@example.com\r\n',
  'RCPT TO:<Postmaster>\r\n',
  'RCPT TO:<b\xc3\xb6b@example.com>\r\n',
  'RCPT TO:<bob>\r\n',
];
const TEXT = [
  'Subject: x\r\n',
  'From: a@b\r\n',
  'Bcc: c@d\r\n',
  '\r\n',
  '..dots\r\n',
  '.x\r\n',
  'bare\nline\r\n',
  'cr\rx\r\n',
  '\0\x80\xff\r\n',
  `${'x'.repeat(2_000)}\r\n`,
  'Received: y\r\n'.repeat(30),
  '\n.\n',
  '\r.\r',
];
const LINES = [
  ...LOGINS,
  ...SENDERS,
  ...RECIPIENTS,
  'EHLO client.example.org\r\n',
  'HELO client.example.org\r\n',
  'LHLO client.example.org\r\n',
  'RSET\r\n',
  'NOOP\r\n',
  'NOOP x\r\n',
  'HELP\r\n',
  'VRFY bob\r\n',
  'VRFY b\xc3\xb6b SMTPUTF8\r\n',
  'EXPN list\r\n',
  'XCLIENT ADDR=192.0.2.1\r\n',
  'DATA\r\n',
  'XYZZY\r\n',
  '\r\n',
  'GET / HTTP/1.1\r\n',
  'bare\nline\r\n',
  `NOOP ${'x'.repeat(3_000)}\r\n`,
];
const CHUNKS = [
  'BDAT 6\r\nRSET\r\n',
  'BDAT 0\r\n',
  'BDAT 0 LAST\r\n',
  'BDAT 5x\r\n',
  'BDAT 99999999999999999999\r\n',
  'BDAT 200000 LAST\r\n',
];
const ODDITIES = ['\r\n', '\n', '\r', '\0', '\xff', ' ', '\x16\x03\x01', '\r\n.\r\n', '*\r\n', '<', '>', 'BDAT 1\r\nx'];
/**
 * Ends a message or an exchange that may be open. Where none is, each line is a command that is
 * refused.
 */
const TERMINATORS = ['\r\n.\r\n*\r\n', '', '', '\r\n.\r\n'];
const END = 'RSET\r\nQUIT\r\n';
