import { type Endpoint, formatEndpoint } from './endpoint.ts';

/** A listener cannot start. The message is a sentence for the operator that names the endpoint. */
export class ListenError extends Error {
  readonly endpoint: Endpoint;
  /** The option `name` of the listener, or undefined. */
  readonly listener: string | undefined;
  /** The code of the cause, such as `EADDRINUSE`, or undefined. */
  readonly code: string | undefined;

  constructor(endpoint: Endpoint, cause: unknown, listener?: string) {
    super(`cannot listen on ${formatEndpoint(endpoint)}: ${reasonOf(endpoint, cause)}`, { cause });
    this.endpoint = endpoint;
    this.listener = listener;
    this.code = codeOf(cause);
  }

  override get name(): string {
    return 'ListenError';
  }
}

function reasonOf(endpoint: Endpoint, cause: unknown): string {
  const code = codeOf(cause);
  const reasons = 'path' in endpoint ? SOCKET_REASONS : REASONS;
  const reason = code === undefined ? undefined : reasons.get(code);
  if (reason !== undefined) return `${reason} (${code})`;
  return cause instanceof Error ? cause.message : String(cause);
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : undefined;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there already'],
  ['EACCES', 'this user may not listen there; a port below 1024 needs root or CAP_NET_BIND_SERVICE'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['EAFNOSUPPORT', 'this machine does not have addresses of that family'],
  ['ENOTFOUND', 'there is no host of that name'],
  ['EAI_AGAIN', 'the name cannot be looked up now'],
]);

/** Reasons for UNIX sockets. Node reports EACCES also where the folder does not exist. */
const SOCKET_REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there already, or a file is in the way'],
  ['EACCES', 'this user may not write there, or there is no such folder'],
  ['EPERM', 'this user may not set the permissions or the group of the socket; expected a group of this user'],
  ['EINVAL', 'the path is too long for a socket'],
]);
