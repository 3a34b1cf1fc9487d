import { skips } from '../program.ts';
import { judgeWithDovecot } from './dovecot.ts';
import { commandLine, outputOf, type PasswordTool, packageVersion } from './password-tool.ts';

/** GNU SASL's `gsasl --mkpasswd`. */
export const gsasl: PasswordTool = {
  name: 'gsasl',
  skips: () => skips('gsasl', 'gsasl') || skips('doveadm', 'dovecot-core'),
  forms: ['SCRAM-SHA-1', 'SCRAM-SHA-256'].flatMap((scheme) => [
    { scheme, options: ['--iteration-count=4096'] },
    { scheme, options: [] },
    { scheme, options: ['--verbose', '--iteration-count=4096'] },
  ]),
  command: ({ scheme, options }) => commandLine(['gsasl', '--mkpasswd', '-m', scheme, ...options, '-p', 'PASSWORD']),
  open: async () => ({
    version: packageVersion('gsasl'),
    verifier: `doveadm pw -t of ${packageVersion('dovecot-core')}`,
    write: ({ scheme, options }, password) =>
      outputOf('gsasl', ['--mkpasswd', '-m', scheme, ...options, '-p', password]),
    judge: (_form, text, password) => judgeWithDovecot(text, password),
    async [Symbol.asyncDispose]() {},
  }),
};
