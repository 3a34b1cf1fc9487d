import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type Daemon, startDaemon } from '../../test/support/daemon.ts';
import { freePort } from '../../test/support/free-port.ts';
import { password } from '../account.ts';
import { has } from '../processes.ts';
import { TemporaryFolder } from '../temporary-folder.ts';
import { HOSTNAME } from './servers.ts';

/** Returns why Dovecot's POP3 server cannot run here; undefined if it can. */
export function whyWithoutDovecot(): string | undefined {
  if (!has('dovecot') || !POP3_PROGRAMS.some(existsSync)) {
    return 'Dovecot has no POP3 server here: apt-get install dovecot-pop3d (Debian)';
  }
  return process.getuid?.() === 0 ? undefined : 'Dovecot starts as root only';
}

/** A stock Dovecot that serves POP3 on a loopback port to all users with the one password. */
export class Dovecot implements AsyncDisposable {
  readonly port: number;
  readonly #daemon: Daemon;
  readonly #folder: TemporaryFolder;

  private constructor(daemon: Daemon, port: number, folder: TemporaryFolder) {
    this.#daemon = daemon;
    this.port = port;
    this.#folder = folder;
  }

  /** The user of the operating system who owns the Maildirs: Dovecot refuses root. */
  static readonly owner = { uid: 65_534, gid: 65_534 } as const;

  /** Starts Dovecot on the Maildirs of {@link mailboxFolder}. Resolves when it listens. */
  static async start(mailboxes: string): Promise<Dovecot> {
    const folder = new TemporaryFolder();
    try {
      chmodSync(folder.path, 0o755);
      for (const name of ['run', 'state']) mkdirSync(join(folder.path, name));
      const port = await freePort();
      const config = join(folder.path, 'dovecot.conf');
      writeFileSync(config, configuration(folder.path, mailboxes, port));
      return new Dovecot(await startDaemon('dovecot', ['-F', '-c', config], /starting up/), port, folder);
    } catch (error) {
      folder[Symbol.dispose]();
      throw error;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#daemon.stop();
    this.#folder[Symbol.dispose]();
  }
}

/** The settings of a private instance; all that concerns a mailbox is Dovecot's default. */
function configuration(folder: string, mailboxes: string, port: number): string {
  const { uid, gid } = Dovecot.owner;
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
protocols = pop3
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
mail_location = maildir:${mailboxes}/%u@${HOSTNAME}
first_valid_uid = 1
passdb {
  driver = static
  args = password=${password}
}
userdb {
  driver = static
  args = uid=${uid} gid=${gid} home=${folder}/state
}
service pop3-login {
  inet_listener pop3 {
    port = ${port}
  }
  inet_listener pop3s {
    port = 0
  }
}
`;
}

/** The places of Dovecot's POP3 server on Debian, Fedora, FreeBSD and macOS. */
const POP3_PROGRAMS = [
  '/usr/lib/dovecot/pop3',
  '/usr/libexec/dovecot/pop3',
  '/usr/local/libexec/dovecot/pop3',
  '/opt/homebrew/libexec/dovecot/pop3',
];
