import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';

/** A running Dovecot that only authenticates users for other servers. */
export interface RunningDovecot extends Daemon {
  /** The path of the UNIX socket of Dovecot's auth protocol, for `smtpd_sasl_path` of Postfix. */
  readonly authSocket: string;
}

/** Starts a Dovecot. `users` has passwords with their schemes, `{PLAIN}s3cret`, by user name. */
export async function startDovecot(users: Readonly<Record<string, string>>): Promise<RunningDovecot> {
  const folder = await mkdtemp(join(tmpdir(), 'postern-dovecot-'));
  const [config, authSocket] = [join(folder, 'dovecot.conf'), join(folder, 'auth')];
  const remove = () => rm(folder, { recursive: true, force: true });
  try {
    await chmod(folder, 0o755);
    await mkdir(join(folder, 'run'));
    await mkdir(join(folder, 'state'));
    await writeFile(
      join(folder, 'users'),
      Object.entries(users)
        .map(([name, secret]) => `${name}:${secret}\n`)
        .join(''),
    );
    await writeFile(config, configuration(folder, authSocket));
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

/**
 * Returns a configuration that uses only the programs of the system and the users `dovecot` and
 * `dovenull`. A wrong password causes no delay.
 */
function configuration(folder: string, authSocket: string): string {
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain login cram-md5 digest-md5 scram-sha-1 scram-sha-256
auth_failure_delay = 0
passdb {
  driver = passwd-file
  args = ${folder}/users
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
`;
}
