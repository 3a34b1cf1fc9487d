/** A field of Authorization, split into its scheme and what the scheme defines. */
export interface Authorization {
  /** The scheme in lower case: `basic`. */
  readonly scheme: string;
  /** The credentials behind the scheme: a token, parameters, or nothing. */
  readonly credentials: string;
}

/**
 * Splits the value of an Authorization field (RFC 9110 §11.4). Returns undefined for a value that
 * does not begin with a scheme.
 */
export function splitAuthorization(field: string): Authorization | undefined {
  const [, scheme, credentials = ''] = SCHEME.exec(field) ?? [];
  return scheme === undefined ? undefined : { scheme: scheme.toLowerCase(), credentials: credentials.trim() };
}

/** A token of RFC 9110 §5.6.2, and what follows it behind blanks. */
const SCHEME = /^([!#$%&'*+.^_`|~\w-]+)(?: +(.*))?$/s;
