import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';

/** A Dovecot that runs, and does nothing but authenticate users for other servers. */
export interface RunningDovecot extends Daemon {
  /** The UNIX socket of its auth protocol, as Postfix takes it for `smtpd_sasl_path`. */
  readonly authSocket: string;
}

/** Starts a Dovecot with these users: names, and passwords with their schemes, `{PLAIN}s3cret`. */
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

/** Nothing of the system's but the programs and the users `dovecot` and `dovenull`, and no waiting after a wrong password. */
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
# Without this socket nobody has to wait because somebody else at that address was wrong before.
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;
}
