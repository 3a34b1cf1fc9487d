import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run, skips } from '../program.ts';
import { temporaryFolder } from '../temporary-folder.ts';
import { commandLine, type Judgement, type PasswordTool, packageVersion } from './password-tool.ts';

/** Apache's `htpasswd`. */
export const htpasswd: PasswordTool = {
  name: 'htpasswd',
  skips: () => skips('htpasswd', 'apache2-utils'),
  forms: [
    { scheme: 'default', options: [] },
    { scheme: '-m', options: ['-m'] },
    { scheme: '-B', options: ['-B'], bcrypt: true },
    { scheme: '-B', options: ['-B', '-C', '7'], bcrypt: true },
    { scheme: '-2', options: ['-2'] },
    { scheme: '-2', options: ['-2', '-r', '5000'] },
    { scheme: '-5', options: ['-5'] },
    { scheme: '-5', options: ['-5', '-r', '2000'] },
    { scheme: '-5', options: ['-5', '-r', '10'] },
    { scheme: '-s', options: ['-s'] },
    { scheme: '-d', options: ['-d'], des: true },
    { scheme: '-p', options: ['-p'] },
  ],
  command: ({ options }) => commandLine(['htpasswd', '-nb', ...options, 'joe', 'PASSWORD']),
  open: async () => ({
    version: packageVersion('apache2-utils'),
    verifier: 'htpasswd -v',
    async write({ options }, password) {
      const { code, output } = await run('htpasswd', ['-nb', ...options, 'joe', password]);
      const text = /^joe:(.*)$/m.exec(output)?.[1];
      if (code !== 0 || text === undefined) throw new Error(`htpasswd ${options.join(' ')}: ${output}`);
      return text;
    },
    judge: (_form, text, password) => judgeWithHtpasswd(text, password),
    async [Symbol.asyncDispose]() {},
  }),
};

/** Resolves to what `htpasswd -v` says about a password for a field of its file. */
export async function judgeWithHtpasswd(text: string, password: string): Promise<Judgement> {
  using folder = temporaryFolder('htpasswd');
  const file = join(folder.path, 'htpasswd');
  writeFileSync(file, `joe:${text}\n`);
  const { code, output } = await run('htpasswd', ['-vb', file, 'joe', password]);
  if (code === 0) return { accepted: true };
  return code === WRONG_PASSWORD ? { accepted: false } : { accepted: false, error: output.trim() };
}

/** The exit code of `htpasswd -v` for a wrong password. */
const WRONG_PASSWORD = 3;
