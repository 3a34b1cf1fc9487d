import { readFileSync } from 'node:fs';
import { UsageError } from './errors.ts';

/**
 * Returns the secret that a spec names: the value of an environment variable for `env:NAME`, the
 * first line of a file for `file:PATH`, and else the text itself. Every secret in a spec follows
 * this rule.
 *
 * @throws UsageError that holds no part of the secret.
 */
export function secretOf(text: string, env: NodeJS.ProcessEnv = process.env): string {
  if (text.startsWith('env:')) {
    const name = text.slice('env:'.length);
    const value = env[name];
    if (value === undefined || value === '') {
      throw new UsageError(`env:${name}: expected an environment variable with the secret`);
    }
    return value;
  }
  if (text.startsWith('file:')) return firstLine(text.slice('file:'.length));
  return text;
}

/** Returns the secret of a spec for a message: the name of a variable or a file is no secret. */
export function redactSecret(text: string): string {
  return /^(?:env|file):/.test(text) ? text : '…';
}

function firstLine(path: string): string {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw new UsageError(`file:${path}: expected a readable file with the secret on its first line`, { cause: error });
  }
  const [line = ''] = text.split(/\r?\n/, 1);
  if (line === '') throw new UsageError(`file:${path}: expected the secret on the first line, which is empty`);
  return line;
}
