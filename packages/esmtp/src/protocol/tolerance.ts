import type { Service } from './services.ts';

/**
 * Syntax that a server accepts beyond the grammar. The ends of lines, chunks and messages are
 * always strict.
 */
export interface Tolerance {
  /** Accepts spaces, UTF-8 and Latin-1 in the name of EHLO and HELO: `EHLO my pc`. */
  readonly anyClientName: boolean;
  /** Accepts a recipient without a domain, a user of this host: `RCPT TO:<joe>`. */
  readonly bareUsers: boolean;
  /** Reads a `MAIL … AUTH=joe` whose value is not a mailbox as `AUTH=<>`. */
  readonly anySubmitter: boolean;
  /** Accepts an address without angle brackets: `MAIL FROM: joe@example.com`. */
  readonly missingBrackets: boolean;
  /** Accepts dots at the ends of a local part and in a row: `a..b@example.com`. */
  readonly looseDots: boolean;
  /** Accepts AUTH after HELO. */
  readonly authAfterHelo: boolean;
  /** Accepts base64 without its `=` in AUTH and in responses. */
  readonly unpaddedBase64: boolean;
}

/** Returns the tolerance of a service, with the additions of the option `lenient`. */
export function toleranceOf(service: Service, lenient: boolean): Tolerance {
  const { anyClientName, bareUsers, anySubmitter } = SERVICE_TOLERANCES[service];
  return {
    anyClientName: anyClientName || lenient,
    bareUsers,
    anySubmitter: anySubmitter || lenient,
    missingBrackets: lenient,
    looseDots: lenient,
    authAfterHelo: lenient,
    unpaddedBase64: lenient,
  };
}

/**
 * Real clients need these: PCs with odd names, `curl --mail-auth`, and mailing list servers that
 * deliver to local users.
 */
const SERVICE_TOLERANCES = {
  submission: { anyClientName: true, bareUsers: false, anySubmitter: true },
  mx: { anyClientName: false, bareUsers: false, anySubmitter: false },
  lmtp: { anyClientName: true, bareUsers: true, anySubmitter: true },
} as const satisfies Record<Service, Partial<Tolerance>>;

/** The tolerance that accepts the grammar alone. */
export const STRICT: Tolerance = {
  anyClientName: false,
  bareUsers: false,
  anySubmitter: false,
  missingBrackets: false,
  looseDots: false,
  authAfterHelo: false,
  unpaddedBase64: false,
};
