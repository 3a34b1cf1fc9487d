import { skipsPostgres, startPostgres } from '../postgres.ts';
import { type Ended, run } from '../program.ts';
import type { PasswordTool } from './password-tool.ts';

/**
 * SASLprep changes some of these passwords and refuses others. PostgreSQL stores a refused password
 * as it is.
 */
const PASSWORDS: readonly string[] = [
  'correct horse battery staple',
  'p\u00e4ssw\u00f6rd',
  'pa\u0308sswo\u0308rd',
  'na\u00efve\u00b2',
  'soft\u00adhyphen',
  'no\u00a0break',
  // Prohibited: a control character. Unassigned in Unicode 3.2: U+20BF and U+1E9E.
  'bell\u0007',
  'na\u00efve\u00b2\u20bf',
  'STRA\u1e9eE\u00bd',
  // Prohibited before NFKC, which would map it to U+0300.
  'a\u0340',
  // Both directions.
  '\u0627a\u00b2',
];

/** PostgreSQL: `rolpassword` of a role, and the role's login. */
export const postgresql: PasswordTool = {
  name: 'postgresql',
  skips: skipsPostgres,
  forms: [
    { scheme: 'scram-sha-256', options: [], passwords: PASSWORDS },
    { scheme: 'md5', options: [] },
  ],
  command: ({ scheme }) =>
    `SET password_encryption = '${scheme}'; ALTER ROLE joe PASSWORD 'PASSWORD'; SELECT rolpassword FROM pg_authid WHERE rolname = 'joe'`,
  async open() {
    const server = await startPostgres({ hba: 'local all all trust\nhost all all all md5' });
    await server.sql('CREATE ROLE joe LOGIN');
    return {
      version: await server.sql("SELECT 'PostgreSQL ' || current_setting('server_version')"),
      verifier: 'login with psql',
      async write({ scheme }, password) {
        await server.sql(
          `SET password_encryption = ${sqlString(scheme)}; ALTER ROLE joe PASSWORD ${sqlString(password)}`,
        );
        return await server.sql("SELECT rolpassword FROM pg_authid WHERE rolname = 'joe'");
      },
      async judge(_form, text, password) {
        await server.sql(`ALTER ROLE joe PASSWORD ${sqlString(text)}`);
        const { code, output } = await logIn(server.port, password);
        if (code === 0) return { accepted: true };
        return output.includes('password authentication failed')
          ? { accepted: false }
          : { accepted: false, error: output.trim() };
      },
      [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
    };
  },
};

/** Resolves to how psql ends, which sends the password as it is. */
function logIn(port: number, password: string): Promise<Ended> {
  const quoted = password.replaceAll(/['\\]/g, '\\$&');
  const connection = `host=127.0.0.1 port=${port} dbname=postgres user=joe password='${quoted}'`;
  return run('psql', ['-X', '-d', connection, '-c', 'SELECT 1']);
}

function sqlString(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}
