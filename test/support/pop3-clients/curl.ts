import { join } from 'node:path';
import { run, words } from '../program.ts';
import { retrieveInto } from './inbox.ts';
import type { Pop3Account, Pop3Client } from './pop3-client.ts';

// curl says USER only to a server without a SASL mechanism.
const LOGINS = ['APOP', 'PLAIN', 'CRAM-MD5'];

/** curl, which gets one message, or one other answer, for each URL. */
export const curl: Pop3Client = {
  name: 'curl',
  program: 'curl',
  debianPackages: 'curl',
  logins: { 'clear text': LOGINS, STLS: LOGINS, 'implicit TLS': LOGINS },
  lineEnds: '\r\n',
  skipsKnown: false,
  refusal: /^curl: \(67\) (Login denied|Authentication failed)/m,

  async version() {
    return (await run('curl', ['--version'])).output.split(' (')[0] ?? '';
  },

  async retrieve(account, { remove = false } = {}) {
    const list = await run('curl', curlArguments(account, ''));
    const count = list.output.match(/^\d+ \d+\r$/gm)?.length ?? 0;
    if (list.code !== 0 || count === 0) return { ...list, messages: [] };
    const retrieval = await retrieveInto(account, (inbox) =>
      run('curl', [...curlArguments(account, `[1-${count}]`), '--output', join(inbox, '#1')]),
    );
    if (!remove || retrieval.code !== 0) return retrieval;
    // With --list-only, curl expects no message after the reply to DELE.
    const removal = words`--list-only --request DELE`;
    return { ...retrieval, ...(await run('curl', [...curlArguments(account, `[1-${count}]`), ...removal])) };
  },
};

function curlArguments({ port, channel, login, user, password, ca }: Pop3Account, path: string): readonly string[] {
  const scheme = channel === 'implicit TLS' ? 'pop3s' : 'pop3';
  return [
    ...words`--silent --show-error --ipv4 --cacert ${ca} ${channel === 'STLS' ? ['--ssl-reqd'] : []}`,
    ...words`--user ${user}:${password} --login-options AUTH=${login === 'APOP' ? '+APOP' : login}`,
    ...words`--url ${`${scheme}://localhost:${port}/${path}`}`,
  ];
}
