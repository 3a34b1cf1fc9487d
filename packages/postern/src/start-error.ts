import { type Endpoint, formatEndpoint } from '@postern/node';

/** The server cannot start, and not because of how its options are written: the message is a sentence for the operator. Exit code 1. */
export class StartError extends Error {
  override get name(): string {
    return 'StartError';
  }
}

/** What it comes to if the system does not let us listen there. */
export function cannotListen(endpoint: Endpoint, cause: unknown): StartError {
  const reasons = 'path' in endpoint ? SOCKET_REASONS : REASONS;
  return new StartError(`cannot listen on ${formatEndpoint(endpoint)}: ${sentence(cause, reasons)}`, { cause });
}

/** What it comes to if the system lets us make no Maildirs there. */
export function cannotStore(folder: string, cause: unknown): StartError {
  const reason = sentence(cause, NO_FOLDER);
  return new StartError(
    `cannot store messages in ${folder}: ${reason}; expected a folder in which this user may write`,
    {
      cause,
    },
  );
}

function sentence(error: unknown, reasons: ReadonlyMap<string, string>): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const reason = reasons.get(code);
  return reason === undefined ? error.message : `${reason} (${code})`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there already'],
  ['EACCES', 'this user may not listen there; ports below 1024 are the system’s'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['ENOTFOUND', 'there is no host of that name'],
  ['EAI_AGAIN', 'the name cannot be looked up now'],
]);

/** For UNIX sockets. Node says EACCES for a folder that is missing, too. */
const SOCKET_REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there already, or a file is in the way'],
  ['EACCES', 'this user may not write there, or there is no such folder'],
  ['EINVAL', 'the path is too long for a socket'],
]);

const NO_FOLDER: ReadonlyMap<string, string> = new Map([
  ['EACCES', 'this user may not write there'],
  ['EPERM', 'this user may not write there'],
  ['EROFS', 'that file system cannot be written to'],
  ['EEXIST', 'that is no folder'],
  ['ENOTDIR', 'that is no folder'],
  ['ENOSPC', 'that file system is full'],
]);
