import type { Limits } from './limits.ts';
import type { MailParameters, RcptParameters } from './parameters.ts';
import type { Parameter } from './path-parameter.ts';
import { Reply } from './reply.ts';
import type { Tolerance } from './tolerance.ts';

/**
 * A service extension (RFC 5321 §2.2): its line in the reply to EHLO, and its parameters of MAIL
 * and RCPT.
 */
export interface Extension {
  readonly keyword: string;
  /** Returns its line in the reply to EHLO; undefined while this client cannot use it. */
  advertise(facts: EhloFacts): string | undefined;
  readonly mail?: readonly ParameterReader<MailParameters>[];
  readonly rcpt?: readonly ParameterReader<RcptParameters>[];
}

/** Reads one parameter of MAIL or RCPT. */
export interface ParameterReader<P> {
  readonly keyword: string;
  /**
   * Sets the parameter's property in `parameters`, or returns the reply that refuses the parameter.
   */
  read(value: string | undefined, parameters: Writable<P>, context: ExtensionContext): Reply | undefined;
}

/** The type without `readonly`, for a reader to fill in. */
export type Writable<P> = { -readonly [K in keyof P]: P[K] };

/** The part of a session that decides about the reply to EHLO. */
export interface EhloFacts {
  readonly limits: Limits;
  /** True if the connection has TLS. */
  readonly hasTls: boolean;
  /** True if STARTTLS works now. */
  readonly canStartTls: boolean;
  /** True if the endpoint requires TLS and the connection has none. */
  readonly needsTls: boolean;
  /** Names of the SASL mechanisms that this client may use now. */
  readonly mechanisms: readonly string[];
  /** True if the peer may send XCLIENT. */
  readonly trustsPeer: boolean;
  /** True if XCLIENT may have the attribute LOGIN. */
  readonly takesTrustedLogin: boolean;
}

/** The part of a session that the readers of parameters use. */
export interface ExtensionContext {
  readonly limits: Limits;
  readonly tolerance: Tolerance;
  /** Keywords of extensions that this server does not offer. */
  readonly disabledExtensions: ReadonlySet<string>;
  /** True after EHLO or LHLO. */
  readonly extended: boolean;
  /** True if the connection has TLS. */
  readonly hasTls: boolean;
  /**
   * True for a client of SMTP that is logged in as `Anonymous`: the server has no proof of the
   * sender's address.
   */
  readonly isAnonymous: boolean;
  /** True if this server believes the client's `AUTH=` parameter (RFC 4954 §5). */
  readonly trustsAuthParameter: boolean;
}

/**
 * Reads all parameters of a command into `parameters`, and returns these. Returns the reply to the
 * first invalid parameter, and 555 for an unknown one (RFC 5321 §4.1.1.11).
 */
export function readParameters<P>(
  readers: ReadonlyMap<string, ParameterReader<P>>,
  words: readonly Parameter[],
  parameters: Writable<P>,
  context: ExtensionContext,
): P | Reply {
  for (const { keyword, value } of words) {
    // After HELO no extension has been offered (RFC 5321 §4.1.1.1).
    const reader = context.extended ? readers.get(keyword) : undefined;
    const refusal = reader === undefined ? UNKNOWN_PARAMETER : reader.read(value, parameters, context);
    if (refusal !== undefined) return refusal;
  }
  return parameters;
}

/** Returns the readers as a map by keyword. */
export function readersOf<P>(readers: readonly ParameterReader<P>[]): ReadonlyMap<string, ParameterReader<P>> {
  return new Map(readers.map((reader) => [reader.keyword, reader]));
}

/**
 * The reply to a parameter of MAIL or RCPT with an invalid value (RFC 5321 §4.2.3, RFC 3463 §3.6).
 */
export const BAD_VALUE = new Reply(501, '5.5.4', 'Syntax error in a parameter');
const UNKNOWN_PARAMETER = new Reply(555, '5.5.4', 'Unknown parameter');
