import { spawnSync } from 'node:child_process';
import { chmod, mkdir, mkdtemp, rm, utimes, writeFile } from 'node:fs/promises';

import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { freePort } from './free-port.ts';
import { expectDone, skips } from './program.ts';

/**
 * A running Postfix. It uses only the programs of the system and the users `postfix` and `nobody`.
 */
export interface RunningPostfix extends Daemon {
  /** The SMTP port on 127.0.0.1. */
  readonly port: number;
  /** The folder of the Maildir for local deliveries. Empty without settings in `main`. */
  readonly maildir: string;
  /** The folder of main.cf. Debian's Postfix reads the file of Cyrus SASL in its `sasl`. */
  readonly config: string;
  /** The queue directory, which a process in a chroot sees as `/`. */
  readonly queue: string;
}

/** Returns true, and prints the reason, if this machine cannot run Postfix. */
export function skipsPostfix(): boolean {
  if (skips('postfix', 'postfix')) return true;
  if (process.getuid?.() === 0) return false;
  console.warn('skipped: Postfix changes users, which only root may: run the tests as root');
  return true;
}

/**
 * Starts a Postfix that accepts no mail and has neither TLS nor SASL. `main` has more lines for its
 * main.cf, such as `relayhost`, or `virtual_mailbox_domains` for deliveries into `maildir`.
 * `services` are the lines of master.cf for the SMTP server at `address`.
 */
export async function startPostfix(
  main: Readonly<Record<string, string>> = {},
  services: (address: string) => string = (address) => `${address} inet n - n - - smtpd\n`,
): Promise<RunningPostfix> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-postfix-'));
  const [config, maildir] = [join(folder, 'config'), join(folder, 'mail')];
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    const port = await freePort();
    await makeFolders(folder);
    await writeOld(join(config, 'main.cf'), lines({ ...defaults(folder), ...main }));
    await writeOld(join(config, 'master.cf'), services(`127.0.0.1:${port}`) + SERVICES);
    const master = join(defaultOf('daemon_directory'), 'master');
    const daemon = await startDaemon(master, ['-c', config, '-s'], /daemon started/);
    const stop = async (): Promise<void> => {
      await daemon.stop();
      await remove();
    };
    return { ...daemon, port, maildir, config, queue: join(folder, 'queue'), stop, [Symbol.asyncDispose]: stop };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * Makes the queue folders as `postfix start` does, without its checks, which take seconds.
 * Postfix's postfix-files has the owners and modes.
 */
async function makeFolders(folder: string): Promise<void> {
  await chmod(folder, 0o755);
  const at = (...names: string[]) => names.map((name) => join(folder, name));
  const queues = at(...QUEUES.map((name) => `queue/${name}`));
  const shared = at('queue/maildrop', 'queue/public');
  const own = [...at('data'), ...queues, ...shared];
  for (const path of [...at('config', 'queue', 'queue/pid', 'mail'), ...own]) await mkdir(path);
  await Promise.all([...at('data'), ...queues].map((path) => chmod(path, 0o700)));
  const [maildrop = '', publicSockets = ''] = shared;
  await chmod(maildrop, 0o730);
  await chmod(publicSockets, 0o710);
  await expectDone('chown', ['nobody', ...at('mail')]);
  await expectDone('chown', [defaultOf('mail_owner'), ...own]);
  await expectDone('chgrp', [defaultOf('setgid_group'), ...shared]);
}

/**
 * Sets the time of a file back. Postfix waits seconds with a new file, which may still be
 * incomplete.
 */
async function writeOld(path: string, text: string): Promise<void> {
  await writeFile(path, text);
  await utimes(path, 0, 0);
}

/** Returns the parameters of a main.cf, which has one on each line. */
export function mainParameters(mainCf: string): Readonly<Record<string, string>> {
  const parameters = mainCf.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return Object.fromEntries(parameters.map((line) => line.split(/ = (.*)/, 2)));
}

/** Resolves to a build-time setting of this Postfix. */
function defaultOf(parameter: string): string {
  return spawnSync('postconf', ['-dh', parameter], { encoding: 'utf8' }).stdout.trim();
}

function lines(parameters: Readonly<Record<string, string>>): string {
  return Object.entries(parameters)
    .map(([name, value]) => `${name} = ${value}\n`)
    .join('');
}

/**
 * Returns a main.cf for loopback only, without DNS, system files and delays after errors of a
 * client.
 */
const defaults = (folder: string): Readonly<Record<string, string>> => ({
  compatibility_level: '3.6',
  queue_directory: join(folder, 'queue'),
  data_directory: join(folder, 'data'),
  maillog_file: '/dev/stdout',
  maillog_file_prefixes: '/dev',
  myhostname: 'postfix.example.com',
  mydestination: '',
  alias_maps: '',
  inet_interfaces: '127.0.0.1',
  inet_protocols: 'ipv4',
  mynetworks: '',
  smtp_dns_support_level: 'disabled',
  smtpd_peername_lookup: 'no',
  smtpd_error_sleep_time: '0',
  smtpd_relay_restrictions: 'permit_sasl_authenticated, reject',
  virtual_mailbox_domains: '',
  virtual_mailbox_base: join(folder, 'mail'),
  // The trailing slash makes Postfix deliver into a Maildir.
  virtual_mailbox_maps: 'static:./',
  virtual_uid_maps: 'static:65534',
  virtual_gid_maps: 'static:65534',
});

const QUEUES = 'active bounce corrupt defer deferred flush hold incoming private saved trace'.split(' ');

/** The services of Postfix's default master.cf, without chroot. */
const SERVICES = `pickup unix n - n 60 1 pickup
cleanup unix n - n - 0 cleanup
qmgr unix n - n 300 1 qmgr
tlsmgr unix - - n 1000? 1 tlsmgr
rewrite unix - - n - - trivial-rewrite
bounce unix - - n - 0 bounce
defer unix - - n - 0 bounce
trace unix - - n - 0 bounce
verify unix - - n - 1 verify
flush unix n - n 1000? 0 flush
proxymap unix - - n - - proxymap
smtp unix - - n - - smtp
relay unix - - n - - smtp
lmtp unix - - n - - lmtp
virtual unix - n n - - virtual
showq unix n - n - - showq
error unix - - n - - error
retry unix - - n - - error
discard unix - - n - - discard
anvil unix - - n - 1 anvil
scache unix - - n - 1 scache
postlog unix-dgram n - n - 1 postlogd
`;
