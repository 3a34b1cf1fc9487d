import type { Mind } from '@postern/cred';

/**
 * The name of a server in its greeting and its replies, or a function that chooses it for each
 * connection.
 */
export type HostnameOption = string | ((mind: Mind) => string);

/** The option `hostname` is a function that has failed or returned an invalid name. */
export class HostnameFailed extends Error {
  readonly culprit = 'operator';

  constructor(cause: unknown) {
    super('the option hostname failed', { cause });
  }

  override get name(): string {
    return 'HostnameFailed';
  }
}

/**
 * Returns the hostname of a server: an ASCII domain, or an address literal in its brackets.
 *
 * @throws TypeError for any other value.
 */
export function checkHostname(hostname: string): string {
  if (typeof hostname === 'string' && hostname.length <= MAX_OCTETS) {
    if (DOMAIN.test(hostname) || isAddressLiteral(hostname)) return hostname;
  }
  throw new TypeError(`hostname: expected an ASCII domain or an address literal, not ${JSON.stringify(hostname)}`);
}

/** RFC 5321 §4.1.3. */
function isAddressLiteral(text: string): boolean {
  if (IPV4_LITERAL.test(text)) return true;
  return IPV6_LITERAL.test(text) && URL.canParse(`http://[${text.slice(IPV6_PREFIX_LENGTH)}`);
}

/** RFC 5321 §4.1.2, with labels of at most 63 octets (RFC 1035 §2.3.4). */
const DOMAIN = /^[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?(?:\.[a-z\d](?:[a-z\d-]{0,61}[a-z\d])?)*$/i;
const IPV4_LITERAL = /^\[(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)(?:\.(?!\])|(?=\]))){4}\]$/;
const IPV6_LITERAL = /^\[IPv6:[\da-f:.]+\]$/i;
const IPV6_PREFIX_LENGTH = '[IPv6:'.length;
/** RFC 1035 §2.3.4. */
const MAX_OCTETS = 255;
