import { formatEndpoint } from '@postern/node';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** Warns of each inherited socket at which no listener accepts: its clients would wait for ever. */
export async function warnOfUnusedSockets({ inherited, listeners }: Settings, log: Log): Promise<void> {
  if (inherited === undefined) return;
  const used = await Promise.all(listeners.map(({ endpoint }) => inherited.find(endpoint)));
  for (const socket of inherited.sockets) {
    if (used.includes(socket)) continue;
    const { name, fd, address } = socket;
    log.warn('no listener uses an inherited socket: add its address as --listen, or remove the socket', {
      ...(name !== '' && { name }),
      fd,
      address: address === undefined ? 'unknown' : textOf(address),
    });
  }
}

function textOf({ family, address, port }: { family: string; address: string; port: number }): string {
  return family === 'unix' ? `unix:${address}` : formatEndpoint({ host: address, port });
}
