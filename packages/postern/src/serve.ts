import { setTimeout } from 'node:timers/promises';
import { identifiers, Misconfiguration, start } from '@postern/inversify';
import { type Certificates, EncryptedKey, type Listener } from '@postern/node';
import { type Composition, compose } from './compose.ts';
import type { DeliveryTargetContext } from './delivery-target.ts';
import { warnOfOffers } from './offer-warnings.ts';
import { connectionsWithin, isShort, openFiles } from './open-files.ts';
import { prepare } from './prepare.ts';
import { loadScramKey } from './scram-key.ts';
import type { Settings } from './settings.ts';
import { cannotListen } from './start-error.ts';
import { startWarnings } from './start-warnings.ts';
import { UsageError } from './usage-error.ts';

/** A server that runs. */
export interface Server {
  readonly listeners: readonly Listener[];
  /** The files that can be read again, in their order. */
  readonly files: readonly ReadFiles[];
  /** Stops accepting, lets what is under way end, for so many milliseconds at most, and closes everything. */
  close(shutdownTimeout: number): Promise<void>;
}

/** Files that can be read again, and what the log says of that. */
export interface ReadFiles {
  /** Rejects if what they hold cannot be used: then what is in use stays in use. */
  readonly read: () => Promise<void>;
  readonly done: string;
  readonly failed: string;
}

/** Starts all listeners, or none. Rejects with a UsageError or a StartError. */
export async function startServer(wanted: Settings, context: DeliveryTargetContext): Promise<Server> {
  const settings = await withScramKey(withinOpenFiles(wanted, context));
  const composition = compose(settings, context);
  for (const { message, fields } of startWarnings(settings, composition.acceptsAnonymous))
    context.log.warn(message, fields);
  warnOfOffers(settings, composition, context.log);
  await composition.recipients?.load();
  await composition.ownSenders?.load();
  warnOfPostmaster(composition, context);
  await prepare(composition.destination);
  const certificates = await loadCertificates(settings, composition);
  const server = await start(composition.container).catch((error: unknown) => {
    throw explained(error);
  });
  return {
    listeners: server.listeners,
    files: filesOf(composition, certificates),
    async close(shutdownTimeout) {
      const closed = server
        .close({ shutdownTimeout })
        .catch((error: unknown) => context.log.error('not everything could be closed', { error }));
      // An avatar or a checker that does not let go must not keep the process, nor, where nothing else does, let it end before us.
      await Promise.race([closed, setTimeout(2 * shutdownTimeout)]);
    },
  };
}

async function withScramKey(settings: Settings): Promise<Settings> {
  const { sasl, scramKey } = settings;
  if (scramKey === undefined) return settings;
  return { ...settings, sasl: { ...sasl, scram: { ...sasl.scram, key: await loadScramKey(scramKey) } } };
}

function explained(error: unknown): unknown {
  return error instanceof Misconfiguration && error.cause !== undefined ? cannotListen(error.cause) : error;
}

async function loadCertificates({ tls }: Settings, { container }: Composition): Promise<Certificates | undefined> {
  if (tls === undefined) return undefined;
  try {
    return await container.getAsync(identifiers.Certificates);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const options = ['--tls-cert', '--tls-key', ...(tls.clientCa === undefined ? [] : ['--tls-client-ca'])].join(', ');
    const hint = error instanceof EncryptedKey ? ` (${PASSPHRASE_OPTIONS})` : '';
    throw new UsageError(`${options}: expected PEM files: ${message}${hint}`, { cause: error });
  }
}

function filesOf(
  { recipients, ownSenders }: Composition,
  certificates: Certificates | undefined,
): readonly ReadFiles[] {
  const files: ReadFiles[] = [];
  if (certificates !== undefined) {
    files.push({
      read: () => certificates.reload(),
      done: 'certificate read again',
      failed: 'the certificate cannot be used, the old one stays',
    });
  }
  if (recipients?.hasFiles) {
    files.push({
      read: () => recipients.load(),
      done: 'recipients read again',
      failed: 'the recipients cannot be used, the old ones stay',
    });
  }
  if (ownSenders?.hasFile) {
    files.push({
      read: () => ownSenders.load(),
      done: 'own senders read again',
      failed: 'the own senders cannot be used, the old ones stay',
    });
  }
  return files;
}

/** RFC 5321 §4.5.1 has mail for the postmaster accepted. Somebody should read it. */
function warnOfPostmaster({ recipients, destination }: Composition, { log }: DeliveryTargetContext): void {
  if (recipients === undefined || recipients.hasPostmaster || destination.isLocal !== true) return;
  log.warn('nobody reads mail for postmaster, which is accepted: add an alias, such as postmaster: ann@example.com');
}

/** Takes no more connections than can be accepted. */
function withinOpenFiles(settings: Settings, { log }: DeliveryTargetContext): Settings {
  const files = openFiles();
  const maxConnections = connectionsWithin(files, settings);
  if (maxConnections === undefined) return settings;
  if (isShort(maxConnections, settings)) {
    const message = 'there may be fewer connections, since this process may not open more files (ulimit -n)';
    log.warn(message, { files, connections: maxConnections });
  }
  return { ...settings, connections: { ...settings.connections, maxConnections } };
}

const PASSPHRASE_OPTIONS = '--tls-passphrase-file FILE, or passphrase beside the key in the config file';
