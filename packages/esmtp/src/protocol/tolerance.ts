import type { Service } from './services.ts';

/** What a server takes beyond the grammar. What ends a line, a chunk or a message is never part of it. */
export interface Tolerance {
  /** EHLO and HELO with blanks, UTF-8 or Latin-1 in the name: `EHLO my pc`. */
  readonly anyClientName: boolean;
  /** `RCPT TO:<joe>`, a user of this machine. */
  readonly bareUsers: boolean;
  /** `MAIL … AUTH=joe` with a value that is no mailbox, which then counts as `AUTH=<>`. */
  readonly anySubmitter: boolean;
  /** `MAIL FROM: joe@example.com`. */
  readonly missingBrackets: boolean;
  /** Dots at the beginning or the end of a local part, or in a row: `a..b@example.com`. */
  readonly looseDots: boolean;
  /** AUTH after HELO. */
  readonly authAfterHelo: boolean;
  /** Base64 without its `=` in AUTH and in its responses. */
  readonly unpaddedBase64: boolean;
}

/** Returns what a service takes by itself, or with the option `lenient`. */
export function toleranceOf(service: Service, lenient: boolean): Tolerance {
  const { anyClientName, bareUsers, anySubmitter } = tolerances[service];
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

/** Real clients need these: PCs with odd names, `curl --mail-auth`, and mailing list servers that hand on to local users. */
const tolerances = {
  submission: { anyClientName: true, bareUsers: false, anySubmitter: true },
  mx: { anyClientName: false, bareUsers: false, anySubmitter: false },
  lmtp: { anyClientName: true, bareUsers: true, anySubmitter: true },
} as const satisfies Record<Service, Partial<Tolerance>>;

/** Takes the grammar and nothing else. */
export const STRICT: Tolerance = {
  anyClientName: false,
  bareUsers: false,
  anySubmitter: false,
  missingBrackets: false,
  looseDots: false,
  authAfterHelo: false,
  unpaddedBase64: false,
};
