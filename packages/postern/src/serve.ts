import { setTimeout } from 'node:timers/promises';
import { Certificates, formatEndpoint, type Listener, listen } from '@postern/node';
import { type Composition, compose } from './compose.ts';
import type { DeliveryContext } from './deliver-specs.ts';
import { logTrouble } from './log-events.ts';
import type { ListenerSettings, Settings } from './settings.ts';
import { StartError } from './start-error.ts';
import { UsageError } from './usage-error.ts';

/** A server that runs. */
export interface Server {
  readonly listeners: readonly Listener[];
  /** Reads certificate and key again; if that fails, those in use stay in use. */
  reloadCertificate(): Promise<void>;
  /** Stops accepting, lets what is under way end, for so many milliseconds at most, and closes everything. */
  close(grace: number): Promise<void>;
}

/** Starts all listeners, or none. Rejects with a UsageError or a StartError. */
export async function startServer(settings: Settings, context: DeliveryContext): Promise<Server> {
  const composition = compose(settings, context);
  warn(settings, composition, context);
  const certificates = await loadCertificates(settings);
  const listeners: Listener[] = [];
  try {
    for (const listener of settings.listeners) {
      listeners.push(await start(listener, composition, certificates, context));
    }
  } catch (error) {
    await closeAll(listeners, 0);
    throw error;
  }
  return {
    listeners,
    async reloadCertificate() {
      await certificates?.reload();
    },
    async close(grace) {
      await closeAll(listeners, grace);
      // An avatar that does not let go must not keep the process.
      await Promise.race([composition.portal.drain(), setTimeout(grace, undefined, { ref: false })]);
    },
  };
}

async function start(
  settings: ListenerSettings,
  { protocolOf }: Composition,
  certificates: Certificates | undefined,
  { log }: DeliveryContext,
): Promise<Listener> {
  const { endpoint, tls } = settings;
  try {
    return await listen({
      endpoint,
      tlsPolicy: tls,
      protocol: protocolOf(settings),
      ...(certificates && { certificates }),
      refusal: '421 4.3.2 Too many connections, try again later\r\n',
      onTrouble: logTrouble(log),
    });
  } catch (error) {
    throw new StartError(`cannot listen on ${formatEndpoint(endpoint)}: ${sentence(error)}`, { cause: error });
  }
}

async function closeAll(listeners: readonly Listener[], grace: number): Promise<void> {
  await Promise.all(listeners.map((listener) => listener.close({ grace })));
}

async function loadCertificates({ tls }: Settings): Promise<Certificates | undefined> {
  if (tls === undefined) return undefined;
  try {
    return await Certificates.load(tls);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const options = ['--tls-cert', '--tls-key', ...(tls.clientCa === undefined ? [] : ['--tls-client-ca'])].join(', ');
    throw new UsageError(`${options}: expected PEM files: ${message}`, {
      cause: error,
    });
  }
}

/** Tells of what is allowed and surely not meant. */
function warn({ listeners }: Settings, { acceptsGuests }: Composition, { log }: DeliveryContext): void {
  for (const { auth, endpoint } of listeners) {
    if (auth === 'optional' && !acceptsGuests) {
      log.warn('auth=optional without --auth anonymous: mail without AUTH is refused', {
        listener: formatEndpoint(endpoint),
      });
    }
  }
}

function sentence(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const code = 'code' in error ? String(error.code) : '';
  const reason = REASONS.get(code);
  return reason === undefined ? error.message : `${reason} (${code})`;
}

const REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'another program listens there already'],
  ['EACCES', 'this user may not listen there; ports below 1024 are the system’s'],
  ['EADDRNOTAVAIL', 'this machine does not have that address'],
  ['ENOTFOUND', 'there is no host of that name'],
  ['EAI_AGAIN', 'the name cannot be looked up now'],
]);
