// A submission server to copy: TLS, SCRAM secrets in a file, a limit on guesses, a log, an ordered
// end. Users send from their own addresses only, and messages go into Maildirs.
//
//   echo 'correct horse battery staple' |
//     node examples/dist/submission-server.js add joe@example.com >> users.txt
//   node examples/dist/submission-server.js users.txt /var/mail/postern fullchain.pem privkey.pem \
//     'smtp://*:587?tls=required' 'smtps://*:465'
//
// SIGHUP reads the users and the certificate again. SIGTERM closes the server: transactions have 10
// seconds. A second SIGTERM ends the process at once.
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { type AvatarId, type Checker, UnauthorizedLogin, UsernamePassword } from '@postern/cred';
import { logTo, OwnSenderDelivery } from '@postern/esmtp';
import { MaildirDelivery } from '@postern/maildir';
import { ScramSecret, ScramSha512Credentials } from '@postern/sasl';
import { submission } from '@postern/submission';

/**
 * Users from a file of lines `joe@example.com SCRAM-SHA-512$…`: neither the file nor the memory
 * holds a password.
 */
class UserFile implements Checker<UsernamePassword | ScramSha512Credentials> {
  readonly credentialInterfaces = [UsernamePassword, ScramSha512Credentials] as const;
  readonly #path: string;
  readonly #decoy: ScramSecret;
  #secrets: ReadonlyMap<string, ScramSecret> = new Map();

  private constructor(path: string, decoy: ScramSecret) {
    this.#path = path;
    this.#decoy = decoy;
  }

  static async open(path: string): Promise<UserFile> {
    const file = new UserFile(path, await ScramSecret.derive('nobody', { hash: 'sha512' }));
    await file.reload();
    return file;
  }

  /**
   * Reads the file again. If a line is wrong, the method rejects, and the users stay as they were.
   */
  async reload(): Promise<void> {
    const lines = (await readFile(this.#path, 'utf8')).split('\n');
    const secrets = new Map<string, ScramSecret>();
    for (const [n, line] of lines.entries()) {
      if (line.trim() === '') continue;
      const [username = '', record = ''] = line.split(' ', 2);
      const secret = ScramSecret.parse(record);
      if (secret?.hash !== 'sha512') {
        throw new Error(`${this.#path}:${n + 1}: expected a user name, a space and SCRAM-SHA-512$…`);
      }
      secrets.set(username, secret);
    }
    this.#secrets = secrets;
  }

  async requestAvatarId(credentials: UsernamePassword | ScramSha512Credentials): Promise<AvatarId> {
    const secret = this.#secrets.get(credentials.username);
    if (credentials instanceof ScramSha512Credentials) {
      // For an unknown user the credentials continue with a decoy secret: the client cannot tell.
      if (secret === undefined || !(await credentials.verify(secret))) throw new UnauthorizedLogin();
      return credentials.username;
    }
    // An unknown user costs the same work: the client cannot tell from the time.
    const right = await (secret ?? this.#decoy).verifyPassword(credentials.password);
    if (secret === undefined || !right) throw new UnauthorizedLogin();
    return credentials.username;
  }
}

const [path = '', folder = '', cert = '', key = '', ...listen] = process.argv.slice(2);
if (path === 'add') await printUser(folder);
else if (listen.length > 0) await serve();
else fail('usage: submission-server.js USERS MAILDIRS CERT KEY URL…, or submission-server.js add USER < password');

async function serve(): Promise<void> {
  const users = await UserFile.open(path);
  const maildirs = new MaildirDelivery(folder, { onError: (error) => console.error('cannot deliver', error) });
  await maildirs.prepare();
  const server = await submission({
    listen,
    users,
    deliveryFor: (avatarId) => new OwnSenderDelivery(maildirs, { avatarId }),
    tls: { cert, key },
    throttle: { userAndNetwork: { failures: 10, window: 15 * 60_000 } },
    onEvent: logTo(console),
    shutdownTimeout: 10_000,
  });
  for (const { url } of server.listeners) console.log(`listening ${url}`);

  process.on('SIGHUP', () => {
    Promise.all([users.reload(), server.reloadCertificates()]).then(
      () => console.info('reloaded'),
      (error: unknown) => console.error('cannot reload, users and certificate stay in use:', error),
    );
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.once(signal, () => {
      console.info('stopping');
      server.close().then(
        () => console.info('stopped'),
        (error: unknown) => fail(String(error)),
      );
    });
  }
}

/** Prints the user's line for the file. The password is the first line of the standard input. */
async function printUser(username: string): Promise<void> {
  for await (const password of createInterface({ input: process.stdin })) {
    const secret = await ScramSecret.derive(password, { hash: 'sha512' });
    console.log(`${username} ${secret.format('rfc5803')}`);
    return;
  }
  fail('expected a password on the standard input');
}

function fail(message: string): void {
  console.error(message);
  process.exitCode = 1;
}
