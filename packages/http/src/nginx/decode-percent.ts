/**
 * Returns the octets of a header value in which nginx has escaped blanks, controls and `%` as `%20`
 * (`ngx_mail_auth_http_escape`). The value has one character for each octet (latin1), as
 * `node:http` and `Headers` have it. Returns undefined if a `%` has no two hexadecimal digits.
 */
export function decodePercent(value: string): Buffer | undefined {
  if (!value.includes('%')) return Buffer.from(value, 'latin1');
  if (STRAY_PERCENT.test(value)) return undefined;
  const octets = value.replace(ESCAPE, (_escape, digits: string) => String.fromCharCode(Number.parseInt(digits, 16)));
  return Buffer.from(octets, 'latin1');
}

const ESCAPE = /%([\da-f]{2})/gi;
const STRAY_PERCENT = /%(?![\da-f]{2})/i;
