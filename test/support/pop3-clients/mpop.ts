import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run } from '../program.ts';
import { retrieveInto, storeIn } from './inbox.ts';
import type { Pop3Account, Pop3Channel, Pop3Client } from './pop3-client.ts';

/** mpop, which uses GNU SASL. */
export const mpop: Pop3Client = {
  name: 'mpop',
  program: 'mpop',
  debianPackages: 'mpop',
  logins: {
    'clear text': ['USER', 'APOP', 'PLAIN', 'CRAM-MD5', 'SCRAM-SHA-256'],
    // Under TLS, Postern does not offer SCRAM-SHA-256 by default, since GNU SASL refuses it there
    // without its -PLUS.
    STLS: ['USER', 'APOP', 'PLAIN', 'CRAM-MD5', 'the choice of mpop'],
    'implicit TLS': ['USER', 'APOP', 'PLAIN', 'CRAM-MD5', 'the choice of mpop'],
  },
  lineEnds: '\n',
  skipsKnown: true,
  refusal: /^mpop: authentication failed \(method .*\)/m,

  async version() {
    return (await run('mpop', ['--version'])).output.split('\n')[0] ?? '';
  },

  async retrieve(account, { remove = false } = {}) {
    const config = join(account.folder, 'mpoprc');
    return await retrieveInto(account, async (inbox) => {
      await writeFile(config, configuration(account, inbox, remove), { mode: 0o600 });
      return await run('mpop', [`--file=${config}`]);
    });
  },
};

function configuration(account: Pop3Account, inbox: string, remove: boolean): string {
  const { port, channel, login, user, password, ca, folder } = account;
  return `account default
host localhost
port ${port}
${TLS[channel]}
tls_trust_file ${ca}
auth ${login === 'the choice of mpop' ? 'on' : login.toLowerCase()}
user ${user}
password ${password}
delivery mda ${storeIn(inbox)}
keep ${remove ? 'off' : 'on'}
received_header off
uidls_file ${join(folder, 'uidls')}
`;
}

const TLS: Readonly<Record<Pop3Channel, string>> = {
  'clear text': 'tls off',
  STLS: 'tls on\ntls_starttls on',
  'implicit TLS': 'tls on\ntls_starttls off',
};
