import { createInterface } from 'node:readline';
import { Writable } from 'node:stream';

/** Asks for a secret at the terminal, without showing it; takes the first line of the standard input where that is no terminal. */
export async function readSecret(prompt: string): Promise<string> {
  const { stdin, stderr } = process;
  if (stdin.isTTY) stderr.write(prompt);
  const silence = new Writable({ write: (_chunk, _encoding, done) => done() });
  const lines = createInterface({ input: stdin, output: silence, terminal: stdin.isTTY });
  try {
    const { value = '' } = await lines[Symbol.asyncIterator]().next();
    return value as string;
  } finally {
    lines.close();
    if (stdin.isTTY) stderr.write('\n');
    stdin.destroy();
  }
}
