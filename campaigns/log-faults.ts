/** Returns the lines of a JSON log that show a secret or a fault of the server's own. */
export function logFaults(log: string, secrets: readonly string[], expected: readonly RegExp[] = []): string[] {
  const lines = log.split('\n').filter((line) => line !== '');
  return lines.filter((line) => {
    if (secrets.some((secret) => line.includes(secret))) return true;
    const isFault = /"level":"error"|"culprit":"us"/.test(line) || !line.startsWith('{');
    return isFault && !expected.some((pattern) => pattern.test(line));
  });
}
