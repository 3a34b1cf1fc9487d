import { existsSync } from 'node:fs';
import { chmod, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type Daemon, startDaemon } from './daemon.ts';
import { expectDone, skips } from './program.ts';

/** Returns true, and prints the reason, if this machine has no nginx, or no mail module of it. */
export function skipsNginx(): boolean {
  if (skips('nginx', 'nginx-light')) return true;
  if (existsSync(MAIL_MODULE)) return false;
  console.warn(`skipped: ${MAIL_MODULE} is not installed: apt-get install libnginx-mod-mail`);
  return true;
}

/**
 * Starts an nginx with this configuration, which it first checks. The configuration logs to the
 * standard error: `error_log stderr notice`.
 */
export async function startNginx(folder: string, configuration: string): Promise<Daemon> {
  const file = join(folder, 'nginx.conf');
  await chmod(folder, 0o755);
  await writeFile(file, configuration);
  await expectDone('nginx', ['-t', '-q', '-c', file, '-e', 'stderr']);
  return await startDaemon('nginx', ['-c', file, '-e', 'stderr', '-g', 'daemon off;'], /start worker process \d+/);
}

const MAIL_MODULE = '/usr/share/nginx/modules/ngx_mail_module.so';
