import { once } from 'node:events';
import { chmodSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { startDaemon } from '../../test/support/daemon.ts';
import { password, username } from '../account.ts';
import { childrenOf, has, pinned } from '../processes.ts';
import { TemporaryFolder } from '../temporary-folder.ts';
import type { AuthServer } from './servers.ts';

/** Returns why Dovecot cannot run here; undefined if it can. */
export function whyWithoutDovecot(): string | undefined {
  if (!has('dovecot')) return 'Dovecot is not installed: apt-get install dovecot-core (Debian)';
  return process.getuid?.() === 0 ? undefined : 'Dovecot starts as root only';
}

/** Starts a Dovecot that serves its auth protocol alone. The process `auth` is the server. */
export async function startDovecotAuth(core: number | undefined): Promise<AuthServer> {
  const folder = new TemporaryFolder();
  try {
    chmodSync(folder.path, 0o755);
    for (const name of ['run', 'state']) mkdirSync(join(folder.path, name));
    const [config, path] = [join(folder.path, 'dovecot.conf'), join(folder.path, 'auth')];
    writeFileSync(join(folder.path, 'users'), `${username}:{PLAIN}${password}\n`);
    writeFileSync(config, configuration(folder.path, path));
    const [command, args] = pinned(core, 'dovecot', ['-F', '-c', config]);
    const daemon = await startDaemon(command, args, /starting up/);
    const stop = async (): Promise<void> => {
      await daemon.stop();
      folder[Symbol.dispose]();
    };
    try {
      return { port: 0, path, pids: [await authProcess(folder.path, path)], [Symbol.asyncDispose]: stop };
    } catch (error) {
      await stop();
      throw error;
    }
  } catch (error) {
    folder[Symbol.dispose]();
    throw error;
  }
}

/** Makes Dovecot start its auth process, and returns that process. */
async function authProcess(folder: string, path: string): Promise<number> {
  const socket = connect(path);
  await once(socket, 'data');
  socket.destroy();
  const master = Number(readFileSync(join(folder, 'run/master.pid'), 'utf8'));
  const pid = childrenOf(master).find((child) => readFileSync(`/proc/${child}/comm`, 'utf8') === 'auth\n');
  if (pid === undefined) throw new Error('Dovecot has no auth process');
  return pid;
}

/** A private instance. Its penalty for guesses, which another process counts, is off. */
function configuration(folder: string, path: string): string {
  return `base_dir = ${folder}/run
state_dir = ${folder}/state
log_path = /dev/stderr
protocols =
ssl = no
disable_plaintext_auth = no
auth_mechanisms = plain
passdb {
  driver = passwd-file
  args = ${folder}/users
}
userdb {
  driver = static
  args = uid=65534 gid=65534 home=${folder}/state
}
service auth {
  unix_listener ${path} {
    mode = 0666
  }
}
service anvil {
  unix_listener anvil-auth-penalty {
    mode = 0
  }
}
`;
}
