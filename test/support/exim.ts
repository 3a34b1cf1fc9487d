import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Daemon, startDaemon } from './daemon.ts';
import { freePort } from './free-port.ts';
import { expectDone, run } from './program.ts';

/** Debian's Exim in a folder of its own, because Debian installs no Exim beside Postfix. */
const EXIM = fileURLToPath(new URL('../../node_modules/.cache/exim4/usr/sbin/exim4', import.meta.url));

/** A running Exim. */
export interface RunningExim extends Daemon {
  /** The SMTP port on 127.0.0.1. */
  readonly port: number;
  /** The port on 127.0.0.1 that speaks TLS from the first octet. */
  readonly tlsPort: number;
}

/** Returns true, and prints the reason, if this machine cannot run Exim. */
export function skipsExim(): boolean {
  const reason = existsSync(EXIM)
    ? process.getuid?.() !== 0 && 'Exim changes users, which only root may: run the tests as root'
    : 'Exim is not unpacked: run tools/unpack-exim.sh as root';
  if (reason !== false) console.warn(`skipped: ${reason}`);
  return reason !== false;
}

/** Resolves to the first lines of `exim4 -bV`, and the authenticators of this Exim. */
export async function eximVersion(): Promise<string> {
  const { output } = await run(EXIM, ['-C', '/dev/null', '-bV']);
  return output;
}

/**
 * Starts an Exim with this configuration on two free ports of loopback. It queues messages and
 * delivers none. The folder `spool` in `folder` belongs to the user of Exim.
 */
export async function startExim(folder: string, configuration: (tlsPort: number) => string): Promise<RunningExim> {
  const file = join(folder, 'exim.conf');
  for (const name of ['spool', 'log']) await mkdir(join(folder, name));
  const [port, tlsPort] = [await freePort(), await freePort()];
  await writeFile(file, configuration(tlsPort));
  await expectDone('chown', ['Debian-exim:Debian-exim', join(folder, 'spool'), join(folder, 'log')]);
  const address = `127.0.0.1.${port} : 127.0.0.1.${tlsPort}`;
  const daemon = await startDaemon(
    EXIM,
    ['-C', file, '-bdf', '-odq', '-v', '-oX', address, '-oP', join(folder, 'pid')],
    /daemon started/,
  );
  return { ...daemon, port, tlsPort };
}
