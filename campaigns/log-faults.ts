import { createReadStream } from 'node:fs';
import { createInterface } from 'node:readline';

/**
 * Reads a JSON log, and resolves to the lines that show a secret or a fault of the server's own.
 * Errors that are the operator's, such as a next server that does not answer, are faults unless
 * `operatorMayErr`, except for those with the text `expected`.
 */
export async function logFaults(
  file: string,
  secrets: readonly string[],
  { operatorMayErr = false, expected }: LogRules = {},
): Promise<string[]> {
  const faults: string[] = [];
  for await (const line of createInterface(createReadStream(file))) {
    const isOurs = line.includes('"culprit":"us"') || line.includes('a session failed') || !line.startsWith('{');
    const isExpected = operatorMayErr || (expected !== undefined && line.includes(expected));
    const isError = !isExpected && line.includes('"level":"error"');
    if (isOurs || isError || secrets.some((secret) => line.includes(secret))) faults.push(line);
  }
  return faults;
}

/** The errors of an operator that a campaign causes itself. */
interface LogRules {
  readonly operatorMayErr?: boolean;
  readonly expected?: string;
}
