/** A status response of a server (RFC 9051 §7.1), or the greeting. */
export interface StatusResponse {
  /** The tag, or `*`. */
  readonly tag: string;
  readonly status: 'OK' | 'NO' | 'BAD' | 'BYE' | 'PREAUTH';
  /** The name of the response code, in upper case; undefined without one. */
  readonly code: string | undefined;
  readonly codeArgument: string;
  readonly text: string;
}

/** Returns the parts of a status response; undefined for a line of another kind. */
export function parseStatus(line: string): StatusResponse | undefined {
  const [, tag, status, code, codeArgument = '', text = ''] = STATUS.exec(line) ?? [];
  if (tag === undefined) return undefined;
  const known = status?.toUpperCase() as StatusResponse['status'];
  return { tag, status: known, code: code?.toUpperCase(), codeArgument, text };
}

/** Returns the words of an untagged CAPABILITY response; undefined for another line. */
export function parseCapability(line: string): readonly string[] | undefined {
  const [, words] = /^\* CAPABILITY (.+)$/i.exec(line) ?? [];
  return words?.trim().split(/ +/);
}

const STATUS = /^(\*|[A-Za-z0-9]+) (OK|NO|BAD|BYE|PREAUTH)(?: \[([A-Z0-9-]+)(?: ([^\]]*))?\])?(?: (.*))?$/i;
