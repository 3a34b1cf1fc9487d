// One container, one portal, three protocols: ann sends a message to herself by ESMTP, fetches it
// by POP3, and reads her IMAP server through a front that lets the same users in.
//
//   mail-account [port=2500] [folder=./mail] [IMAP server=127.0.0.1:143]
//   ESMTP on the port, POP3 on the next one, IMAP on the one behind it
import { once } from 'node:events';
import { InMemoryUsernamePasswordDatabaseDontUse } from '@postern/cred';
import { ImapBackEnd } from '@postern/imap';
import {
  bindAvatar,
  bindChecker,
  bindListener,
  identifiers,
  imapModule,
  mailboxModule,
  maildirModule,
  pop3Module,
  start,
  submissionModules,
} from '@postern/inversify';
import { connect } from '@postern/node';
import { Container } from 'inversify';

const [firstPort = '2500', folder = 'mail', imapServer = '127.0.0.1:143'] = process.argv.slice(2);
const [host = '', imapPort] = imapServer.split(':');
const endpoint = { scheme: 'imap', host, port: Number(imapPort) };

const container = new Container();
container.load(...submissionModules, pop3Module, imapModule, maildirModule, mailboxModule);
container.bind(identifiers.Hostname).toConstantValue('localhost');
container.bind(identifiers.MaildirFolder).toConstantValue(folder);
// A guesser who fails at one protocol is stopped at all of them.
container.bind(identifiers.Throttle).toConstantValue({});
const users = new InMemoryUsernamePasswordDatabaseDontUse({ 'ann@example.com': 's3cret' });
bindChecker(container, 'users').toConstantValue(users);
// The IMAP server knows one master user, who may act as each user.
bindAvatar(container, ImapBackEnd).toConstantValue(
  (user) =>
    new ImapBackEnd({
      connect: (signal) => connect({ endpoint, tlsPolicy: 'offered', signal }),
      account: { username: String(user), masterUser: 'postern', password: 'm4ster' },
    }),
);
for (const [index, scheme] of ['smtp', 'pop3', 'imap'].entries()) {
  const port = firstPort === '0' ? 0 : Number(firstPort) + index;
  bindListener(container, scheme).toConstantValue({ endpoint: { scheme, host: 'localhost', port } });
}

await using server = await start(container);
for (const { url } of server.listeners) console.log(`listening ${url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
