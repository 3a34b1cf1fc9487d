import { fileURLToPath } from 'node:url';
import { run } from '../program.ts';
import { retrieveInto } from './inbox.ts';
import type { Pop3Account, Pop3Channel, Pop3Client, Retrieval, RetrieveOptions } from './pop3-client.ts';

/** Python's poplib. */
export const poplib: Pop3Client = {
  name: 'Python poplib',
  program: 'python3',
  debianPackages: 'python3',
  logins: onEveryChannel(['USER', 'APOP']),
  lineEnds: '\r\n',
  skipsKnown: false,
  refusal: /^poplib\.error_proto: b'-ERR /m,
  version: async () => (await run('python3', ['--version'])).output.trim(),
  retrieve: (account, options) => retrieveWithScript(['python3', script('retrieve-with-poplib.py')], account, options),
};

/** Perl's Net::POP3 with Authen::SASL. */
export const netPop3: Pop3Client = {
  name: 'Perl Net::POP3',
  program: 'perl',
  debianPackages: 'perl libauthen-sasl-perl libdigest-hmac-perl libio-socket-ssl-perl',
  logins: onEveryChannel(['USER', 'APOP', 'PLAIN', 'CRAM-MD5']),
  // Without TLS, Net::POP3 removes the CR of each CRLF.
  lineEnds: '\n',
  skipsKnown: false,
  refusal: /^refused: /m,
  async version() {
    const print = 'print "Net::POP3 $Net::POP3::VERSION, Authen::SASL $Authen::SASL::VERSION"';
    return (await run('perl', ['-MNet::POP3', '-MAuthen::SASL', '-e', print])).output;
  },
  retrieve: (account, options) => retrieveWithScript(['perl', script('retrieve-with-net-pop3.pl')], account, options),
};

function retrieveWithScript(
  [program = '', ...args]: readonly string[],
  account: Pop3Account,
  { remove = false }: RetrieveOptions = {},
): Promise<Retrieval> {
  const { port, channel, login, user, password, ca } = account;
  const own = (inbox: string) => [String(port), channel, login, user, password, ca, inbox, remove ? 'remove' : 'keep'];
  return retrieveInto(account, (inbox) => run(program, [...args, ...own(inbox)]));
}

function onEveryChannel(logins: readonly string[]): Readonly<Record<Pop3Channel, readonly string[]>> {
  return { 'clear text': logins, STLS: logins, 'implicit TLS': logins };
}

function script(name: string): string {
  return fileURLToPath(new URL(name, import.meta.url));
}
