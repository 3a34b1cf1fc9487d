import type { ServerName } from './server-names.ts';

/** Prints to the standard error what is under way: the tables alone go to the standard output. */
export function progress(text: string): void {
  console.error(text);
}

/**
 * Sets the exit code if a server of this revision failed. An old revision may not know an option,
 * and npm's smtp-server may fail for reasons of its own: for both, the tables show the reason.
 */
export function failOn(failures: ReadonlyMap<ServerName, string>): void {
  if ([...failures.keys()].some((name) => !OF_OTHERS.includes(name))) process.exitCode = 1;
}

const OF_OTHERS: readonly ServerName[] = ['before', 'before-library', 'smtp-server'];
