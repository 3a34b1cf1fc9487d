import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, words } from '../program.ts';
import { retrieveInto, storeIn } from './inbox.ts';
import type { Pop3Account, Pop3Client } from './pop3-client.ts';

const LOGINS = ['USER', 'APOP'];

/** getmail, which asks for UIDL and LIST twice and refuses a maildrop with equal unique-ids. */
export const getmail: Pop3Client = {
  name: 'getmail',
  program: 'getmail',
  debianPackages: 'getmail6',
  // getmail has no STLS.
  logins: { 'clear text': LOGINS, STLS: [], 'implicit TLS': LOGINS },
  lineEnds: '\n',
  skipsKnown: true,
  refusal: /operation error \(POP error/,

  async version() {
    return (await run('getmail', ['--version'])).output.trim();
  },

  async retrieve(account, { remove = false } = {}) {
    const { folder } = account;
    return await retrieveInto(account, async (inbox) => {
      await writeFile(join(folder, 'getmailrc'), configuration(account, inbox, remove), { mode: 0o600 });
      return await run('getmail', words`--getmaildir ${folder} --rcfile getmailrc`);
    });
  },
};

function configuration(account: Pop3Account, inbox: string, remove: boolean): string {
  const { port, channel, login, user, password, ca } = account;
  const isTls = channel === 'implicit TLS';
  return `[retriever]
type = ${isTls ? 'SimplePOP3SSLRetriever' : 'SimplePOP3Retriever'}
server = localhost
port = ${port}
username = ${user}
password = ${password}
use_apop = ${login === 'APOP'}
timeout = 60
${isTls ? `ca_certs = ${ca}\nssl_cert_hostname = localhost` : ''}

[destination]
type = MDA_external
path = /bin/sh
arguments = ("-c", '${storeIn(inbox)}; ${LATE_END}')
allow_root_commands = true

[options]
read_all = false
delete = ${remove}
delivered_to = false
received = false
`;
}

/**
 * getmail misses the end of a program that ends before getmail waits for that end
 * (`ForkingBase._wait_for_child`), and gives up after its timeout. All its destinations fork.
 */
const LATE_END = 'sleep 0.3';
