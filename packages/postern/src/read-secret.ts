import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';
import type { CommandProcess } from './command-process.ts';

/** Asks for a secret at the terminal, without showing it; takes the first line of the standard input where that is no terminal. */
export async function readSecret(
  { stdin, stderr }: Pick<CommandProcess, 'stdin' | 'stderr'>,
  prompt: string,
): Promise<string> {
  if (stdin.isTTY) stderr.write(prompt);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: stdin.isTTY === true });
  try {
    const { value = '' } = await lines[Symbol.asyncIterator]().next();
    return value as string;
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write('\n');
    stdin.destroy();
  }
}
