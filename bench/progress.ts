/** Prints to the standard error what is under way: the tables alone go to the standard output. */
export function progress(text: string): void {
  console.error(text);
}

/**
 * Sets the exit code if a server of this revision failed. An old revision may not know an option,
 * and npm's smtp-server or Dovecot may fail for reasons of their own: the tables show the reason.
 */
export function failOn(failures: ReadonlyMap<string, string>): void {
  if ([...failures.keys()].some((name) => !OF_OTHERS.includes(name))) process.exitCode = 1;
}

const OF_OTHERS: readonly string[] = ['before', 'before-library', 'smtp-server', 'dovecot'];
