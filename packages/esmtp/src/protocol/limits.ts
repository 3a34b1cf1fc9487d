/** What a client may use up. Lengths are in octets, times in milliseconds. */
export interface Limits {
  /** A command line without its CRLF; longer is 500. RFC 5321 §4.5.3.1.4 asks for 510 at least, RFC 3461 §5.4 for 1034. Default: 2,048. */
  readonly maxCommandLine: number;
  /** A line of an authentication exchange without its CRLF, and the initial response on the AUTH line; longer is 500 (RFC 4954 §4). Default: 12,288. */
  readonly maxExchangeLine: number;
  /** A line of message text without its CRLF; longer is 554 after the end of the data. RFC 5321 §4.5.3.1.6 asks for 998 at least. Default: unlimited. */
  readonly maxTextLine: number;
  /** A message as it comes, without dot stuffing and with its line ends normalized where they are; larger is 552, and said with SIZE (RFC 1870). Default: 25 MiB. */
  readonly maxMessageSize: number;
  /** Recipients of one message; more are 452. Said with LIMITS (RFC 9422). RFC 5321 §4.5.3.1.8 asks for 100 at least. Default: 1,000. */
  readonly maxRecipients: number;
  /** MAIL commands on one connection; one more is 421. Said with LIMITS (RFC 9422). Default: unlimited. */
  readonly maxTransactions: number;
  /** Chunks of a message, the last one aside, that have fewer than 1,024 octets (RFC 3030); one more is 421. Default: 1,000. */
  readonly maxSmallChunks: number;
  /** `Received:` fields in one message; as many are 554, for it goes in circles (RFC 5321 §6.3). Default: 100. */
  readonly maxReceivedFields: number;
  /** Commands on one connection that are none, come at the wrong time or are wrongly written; then 421. Default: 20. */
  readonly maxErrors: number;
  /**
   * Commands on one connection that bring no message and are answered without delay: NOOP, RSET, EHLO, VRFY, HELP, and refused
   * ones. A refused RCPT and a small chunk count a tenth. An accepted message resets the count; ten seconds take one off. Default: 100.
   */
  readonly undelayedJunkCommands: number;
  /** How long the reply to each later such command is held back: 10 are at most 100 of them a second. Default: 10. */
  readonly junkCommandDelay: number;
  /** How many of these commands there may be, counted in the same way; one more is 421. Default: 1,000. */
  readonly maxJunkCommands: number;
  /** Refused logins on one connection that are answered without delay. RFC 4954 §9 asks for 3 at least before a connection is dropped. Default: 3. */
  readonly undelayedLoginFailures: number;
  /** How long the answer to each later refused login is held back. Default: 5,000. */
  readonly loginFailureDelay: number;
  /** Refused logins on one connection, the last of which gets a 421. Default: 10. */
  readonly maxLoginFailures: number;
  /** A refused login is answered no sooner than so long after the client's last word, whatever was wrong. Default: 250. */
  readonly minFailureDelay: number;
  /**
   * The first challenge of live credentials (SCRAM) leaves at a whole multiple of this after the client's message, so that its time
   * does not tell which users exist; 0 for none. Default: 10.
   */
  readonly minChallengeDelay: number;
  /** How long the client may take for a line, or data come too slowly; then 421. RFC 5321 §4.5.3.2.7 asks for 5 minutes. Default: 300,000. */
  readonly idleTimeout: number;
  /**
   * How long a connection may last on which the client neither logs in nor sends a message that is accepted; then 421. Each
   * accepted message begins the time anew. Default: 1,800,000 (30 minutes).
   */
  readonly unauthenticatedTimeout: number;
  /** How long a delivery may take over one call, but that to `end`; then 451. Default: 120,000. */
  readonly deliveryTimeout: number;
  /**
   * How long a delivery may take over a message's `end`; then 451. Giving up sooner than it does may deliver twice. Default: 620,000, a
   * little more than the ten minutes for which a relay waits for the next server (RFC 5321 §4.5.3.2.6).
   */
  readonly endTimeout: number;
}

/** Safe on the open Internet, and wide enough for every client that behaves. */
export const defaultLimits: Limits = {
  maxCommandLine: 2_048,
  maxExchangeLine: 12_288,
  maxTextLine: Number.POSITIVE_INFINITY,
  maxMessageSize: 25 * 1024 * 1024,
  maxRecipients: 1_000,
  maxTransactions: Number.POSITIVE_INFINITY,
  maxSmallChunks: 1_000,
  maxReceivedFields: 100,
  maxErrors: 20,
  undelayedJunkCommands: 100,
  junkCommandDelay: 10,
  maxJunkCommands: 1_000,
  undelayedLoginFailures: 3,
  loginFailureDelay: 5_000,
  maxLoginFailures: 10,
  minFailureDelay: 250,
  minChallengeDelay: 10,
  idleTimeout: 300_000,
  unauthenticatedTimeout: 1_800_000,
  deliveryTimeout: 120_000,
  endTimeout: 620_000,
};

/**
 * Returns the default limits with some of them set otherwise.
 *
 * @throws TypeError for a name that is no limit
 * @throws RangeError for a number with which no server can work
 */
export function withDefaults(chosen: Partial<Limits> = {}): Limits {
  const set = Object.entries(chosen).filter(([, value]) => value !== undefined) as [keyof Limits, number][];
  for (const [name, value] of set) {
    if (!Object.hasOwn(least, name)) {
      throw new TypeError(`limits: unknown limit ${JSON.stringify(name)}; expected ${Object.keys(least).join(', ')}`);
    }
    if (!(value >= least[name])) throw new RangeError(`limits.${name}: ${least[name]} or more is wanted, not ${value}`);
  }
  return { ...defaultLimits, ...Object.fromEntries(set) };
}

const least: Limits = {
  maxCommandLine: 510,
  maxExchangeLine: 510,
  maxTextLine: 998,
  maxMessageSize: 1,
  maxRecipients: 1,
  maxTransactions: 1,
  maxSmallChunks: 0,
  maxReceivedFields: 1,
  maxErrors: 1,
  undelayedJunkCommands: 0,
  junkCommandDelay: 0,
  maxJunkCommands: 1,
  undelayedLoginFailures: 0,
  loginFailureDelay: 0,
  maxLoginFailures: 1,
  minFailureDelay: 0,
  minChallengeDelay: 0,
  idleTimeout: 1,
  unauthenticatedTimeout: 1,
  deliveryTimeout: 1,
  endTimeout: 1,
};
