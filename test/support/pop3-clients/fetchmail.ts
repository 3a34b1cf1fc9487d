import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { run, words } from '../program.ts';
import { retrieveInto, storeIn } from './inbox.ts';
import type { Pop3Account, Pop3Channel, Pop3Client } from './pop3-client.ts';

const LOGINS = ['USER', 'APOP', 'CRAM-MD5'];

/** fetchmail, which reads messages with TOP and a huge number of lines. */
export const fetchmail: Pop3Client = {
  name: 'fetchmail',
  program: 'fetchmail',
  debianPackages: 'fetchmail',
  logins: { 'clear text': LOGINS, STLS: LOGINS, 'implicit TLS': LOGINS },
  lineEnds: '\r\n',
  skipsKnown: true,
  refusal: /^fetchmail: (Authorization failure|Lock-busy error) on /m,

  async version() {
    return /^This is (fetchmail release [\d.]+)/m.exec((await run('fetchmail', ['--version'])).output)?.[1] ?? '';
  },

  async retrieve(account, { remove = false } = {}) {
    const { folder } = account;
    const config = join(folder, 'fetchmailrc');
    const retrieval = await retrieveInto(account, async (inbox) => {
      await writeFile(config, configuration(account, inbox, remove), { mode: 0o600 });
      const files = words`--fetchmailrc ${config} --idfile ${join(folder, 'ids')} --pidfile ${join(folder, 'pid')}`;
      return await run('fetchmail', files);
    });
    return { ...retrieval, code: retrieval.code === NO_NEW_MAIL ? 0 : retrieval.code };
  },
};

function configuration(account: Pop3Account, inbox: string, remove: boolean): string {
  const { port, channel, login, user, password, ca } = account;
  // APOP is a protocol of its own, which cannot keep a list of unique-ids.
  const protocol = login === 'APOP' ? 'apop' : 'pop3';
  const auth = { USER: 'password', APOP: 'any', 'CRAM-MD5': 'cram-md5' }[login];
  return `set invisible
poll localhost service ${port} proto ${protocol} uidl auth ${auth}
  user "${user}" password "${password}" ${TLS[channel]} sslcertck sslcertfile "${ca}"
  mda '${storeIn(inbox)}' ${remove ? 'nokeep fetchall' : 'keep'} norewrite nostripcr
`;
}

const TLS: Readonly<Record<Pop3Channel, string>> = {
  'clear text': `sslproto ''`,
  STLS: 'sslproto "tls1.2+"',
  'implicit TLS': 'ssl sslproto "tls1.2+"',
};

const NO_NEW_MAIL = 1;
