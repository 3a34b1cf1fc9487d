import type { ServerName } from './server-names.ts';

/** Prints to the standard error what is under way: the tables alone go to the standard output. */
export function progress(text: string): void {
  console.error(text);
}

/** Sets the exit code if a server of this revision failed. An old one may not know an option. */
export function failOn(failures: ReadonlyMap<ServerName, string>): void {
  if ([...failures.keys()].some((name) => !name.startsWith('before'))) process.exitCode = 1;
}
