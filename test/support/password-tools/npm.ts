import { temporaryFolder } from '../temporary-folder.ts';
import { type Form, type Judgement, outputOf, type PasswordTool } from './password-tool.ts';

/** The packages `argon2` and `bcrypt` of npm. Opening installs them in a folder of their own. */
export const npm: PasswordTool = {
  name: 'npm',
  skips: () => false,
  forms: [
    { scheme: 'argon2', options: ['{ memoryCost: 1024, timeCost: 2, parallelism: 1 }'] },
    { scheme: 'argon2', options: ['{ memoryCost: 1024, timeCost: 2, parallelism: 2, type: 0 }'] },
    { scheme: 'argon2', options: ['{ memoryCost: 1024, timeCost: 2, parallelism: 1, version: 0x10 }'] },
    { scheme: 'argon2', options: [], costly: true },
    { scheme: 'bcrypt', options: ['5'], bcrypt: true },
  ],
  command: ({ scheme, options }) => `require('${scheme}').hash(${['PASSWORD', ...options].join(', ')})`,
  async open() {
    const folder = temporaryFolder('npm');
    const packages = ['argon2@0.45.1', 'bcrypt@6.0.0'];
    await outputOf('npm', ['install', '--silent', '--no-fund', '--no-audit', '--prefix', folder.path, ...packages]);
    const evaluate = (code: string, ...args: readonly string[]) => {
      const load = `const load = require('node:module').createRequire(${JSON.stringify(`${folder.path}/`)});`;
      return outputOf(process.execPath, ['-e', `${load} ${code}.then((text) => console.log(text))`, '--', ...args]);
    };
    return {
      version: `npm ${packages.join(' ')}`,
      verifier: 'verify, or compare, of the package',
      write: ({ scheme, options }: Form, password: string) =>
        evaluate(`load('${scheme}').hash(${['process.argv[1]', ...options].join(', ')})`, password),
      async judge({ scheme }: Form, text: string, password: string): Promise<Judgement> {
        const call =
          scheme === 'argon2'
            ? 'verify(process.argv[1], process.argv[2])'
            : 'compare(process.argv[2], process.argv[1])';
        const output = await evaluate(
          `load('${scheme}').${call}.then(String, (error) => error.message)`,
          text,
          password,
        );
        if (output === 'true' || output === 'false') return { accepted: output === 'true' };
        return { accepted: false, error: output };
      },
      async [Symbol.asyncDispose]() {
        folder[Symbol.dispose]();
      },
    };
  },
};
