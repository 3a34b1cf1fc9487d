/** A message whose lines begin with dots, as RFC 5321 §4.5.2 and RFC 1939 §3 stuff them. */
const DOTS = [
  'From: Joe <joe@example.com>',
  'Subject: dots',
  '',
  '.',
  '..',
  '...three dots',
  '. a dot and a blank',
  '',
  '.',
  '',
].join('\r\n');

/** A message with octets above 127, lines of 998 octets (RFC 5322 §2.1.1) and trailing blanks. */
const EIGHT_BIT = [
  'From: Joe <joe@example.com>',
  'Subject: 8-bit',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=utf-8',
  'Content-Transfer-Encoding: 8bit',
  '',
  'Grüße, 你好, with two trailing blanks  ',
  'x'.repeat(998),
  'ü'.repeat(499),
  '',
  '',
].join('\r\n');

/** A message of 1 MiB. */
const ONE_MEBIBYTE = `From: Joe <joe@example.com>\r\nSubject: 1 MiB\r\n\r\n${`${'.'.repeat(62)}\r\n`.repeat(16_384)}`;

/** Messages that a server or a client must not change. */
export const MAIL_SAMPLES: readonly Buffer[] = [DOTS, EIGHT_BIT, ONE_MEBIBYTE].map((text) => Buffer.from(text));
