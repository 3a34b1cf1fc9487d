import { chmod, chown, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';

/** A running Dovecot. */
export interface RunningDovecot extends Daemon {
  /** The path of the UNIX socket of Dovecot's auth protocol, for `smtpd_sasl_path` of Postfix. */
  readonly authSocket: string;
}

/** The protocols that a Dovecot serves on loopback. Default: only its auth protocol. */
export interface DovecotServices {
  /** The port of each protocol. */
  readonly ports: Readonly<Partial<Record<DovecotProtocol, number>>>;
  /** A Maildir, with `%u` for the user. {@link MAIL_OWNER} owns its files. */
  readonly maildir: string;
  /** Passwords with their schemes of the master users, by name, for the login `user*master`. */
  readonly masters?: Readonly<Record<string, string>>;
}

export type DovecotProtocol = 'imap' | 'pop3' | 'lmtp' | 'sieve';

/**
 * The owner of the mail of {@link startDovecot}: the numbers of the user and the group `mail` on
 * Debian. Dovecot opens no mailbox of root.
 */
export const MAIL_OWNER = 8;

/** Starts a Dovecot. `users` has passwords with their schemes, `{PLAIN}s3cret`, by user name. */
export async function startDovecot(
  users: Readonly<Record<string, string>>,
  services: DovecotServices = { ports: {}, maildir: '' },
): Promise<RunningDovecot> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-dovecot-'));
  const [config, authSocket] = [join(folder, 'dovecot.conf'), join(folder, 'auth')];
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await chmod(folder, 0o755);
    await mkdir(join(folder, 'run'));
    await mkdir(join(folder, 'state'));
    if (services.maildir !== '') await makeHomes(join(folder, 'home'));
    await writeFile(join(folder, 'users'), passwdFile(users));
    await writeFile(join(folder, 'masters'), passwdFile(services.masters ?? {}));
    await writeFile(config, configuration(folder, authSocket, services));
    const daemon = await startDaemon('dovecot', ['-F', '-c', config], /starting up/);
    const stop = async (): Promise<void> => {
      await daemon.stop();
      await remove();
    };
    return { ...daemon, authSocket, stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

/** Makes the folder in which Pigeonhole makes the home of each user, for the scripts. */
async function makeHomes(path: string): Promise<void> {
  await mkdir(path);
  await chown(path, MAIL_OWNER, MAIL_OWNER);
}

function passwdFile(users: Readonly<Record<string, string>>): string {
  return Object.entries(users)
    .map(([name, secret]) => `${name}:${secret}\n`)
    .join('');
}

/**
 * Returns a configuration that uses only the programs of the system and the users `dovecot` and
 * `dovenull`. A wrong password causes no delay.
 */
function configuration(folder: string, authSocket: string, { ports, maildir }: DovecotServices): string {
  const protocols = Object.keys(ports) as DovecotProtocol[];
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
protocols = ${protocols.join(' ')}
listen = 127.0.0.1
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login apop cram-md5 digest-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
auth_master_user_separator = *
passdb {
  driver = passwd-file
  args = ${folder}/masters
  master = yes
}
passdb {
  driver = passwd-file
  args = ${folder}/users
}
userdb {
  driver = static
  args = uid=${MAIL_OWNER} gid=${MAIL_OWNER} home=${folder}/home/%u allow_all_users=yes
}
first_valid_uid = ${MAIL_OWNER}
first_valid_gid = ${MAIL_OWNER}
mail_location = maildir:${maildir}
namespace inbox {
  inbox = yes
}
service auth {
  unix_listener ${authSocket} {
    mode = 0666
  }
}
# Without this socket a wrong password does not delay other clients at the same address.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
${protocols.map((protocol) => listener(protocol, ports[protocol] ?? 0)).join('')}`;
}

/** Returns the section that makes a protocol listen on this port, and only there. */
function listener(protocol: DovecotProtocol, port: number): string {
  const [service, others] = LISTENERS[protocol];
  return `service ${service} {
  inet_listener ${protocol} {
    address = 127.0.0.1
    port = ${port}
  }
${others.map((name) => `  inet_listener ${name} {\n    port = 0\n  }\n`).join('')}}
`;
}

/** The service of each protocol, and the listeners that it has by default beside its own. */
const LISTENERS: Readonly<Record<DovecotProtocol, readonly [service: string, others: readonly string[]]>> = {
  imap: ['imap-login', ['imaps']],
  pop3: ['pop3-login', ['pop3s']],
  lmtp: ['lmtp', []],
  sieve: ['managesieve-login', []],
};
