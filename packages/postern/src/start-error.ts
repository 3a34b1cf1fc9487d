import { type Endpoint, formatEndpoint } from '@postern/node';

/** The server cannot start, and not because of how its options are written: the message is a sentence for the operator. Exit code 1. */
export class StartError extends Error {
  override get name(): string {
    return 'StartError';
  }
}

/** What it comes to if the system does not let us listen there. */
export function cannotListen(endpoint: Endpoint, cause: unknown): StartError {
  return new StartError(`cannot listen on ${formatEndpoint(endpoint)}: ${sentence(cause)}`, { cause });
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const reason = REASONS.get(code);
  return reason === undefined ? error.message : `${reason} (${code})`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there already'],
  ['EACCES', 'this user may not listen there; ports below 1024 are the system’s'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['ENOTFOUND', 'there is no host of that name'],
  ['EAI_AGAIN', 'the name cannot be looked up now'],
]);
