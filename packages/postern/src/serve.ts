import { setTimeout } from 'node:timers/promises';
import { type Certificates, type Listener, serve } from '@postern/node';
import type { TlsSettings } from './certificates.ts';
import { type Composition, compose } from './compose.ts';
import { type CommandOutput, prepareDelivery } from './delivery-target.ts';
import { cannotListen } from './errors.ts';
import { isAuthServer } from './listener-url.ts';
import type { Log } from './log.ts';
import { warnOfOffers } from './offer-warnings.ts';
import { withinOpenFiles } from './open-files.ts';
import { openUsers } from './open-users.ts';
import { loadScramKey } from './scram-key.ts';
import type { Settings } from './settings.ts';
import { startWarnings } from './start-warnings.ts';
import { storeCheckersOf } from './user-store-checker.ts';

/** A server that runs. */
export interface RunningServer {
  readonly listeners: readonly Listener[];
  /** The files that SIGHUP reloads, in this order. */
  readonly files: readonly ReloadableFiles[];
  /**
   * Accepts no more clients, gives transactions `shutdownTimeout` milliseconds, and closes all
   * parts. Resolves after at most twice that time. Never rejects: the log has the errors.
   */
  close(shutdownTimeout: number): Promise<void>;
}

/** Files that the server can reload, and the messages for the log. */
export interface ReloadableFiles {
  /** Rejects if the files are unusable. Then their previous contents stay in use. */
  readonly read: () => Promise<void>;
  readonly done: string;
  readonly failed: string;
}

/**
 * Starts all listeners, or none.
 *
 * @throws UsageError or StartError
 */
export async function startServer(configured: Settings, output: CommandOutput): Promise<RunningServer> {
  const { log } = output;
  const withUsers = await openUsers(withinOpenFiles(configured, log), log, servesOthers(configured));
  const settings = await withScramKey(withUsers.settings);
  const composition = await compose(settings, output);
  const { access, portal, checkers, factory, recipients, ownSenders, acceptsAnonymous } = composition;
  for (const { message, fields } of startWarnings(settings, acceptsAnonymous)) log.warn(message, fields);
  warnOfOffers(settings, composition, log);
  await recipients?.load();
  await ownSenders?.load();
  warnOfPostmaster(composition, log);
  await prepareDelivery(factory);
  await access.prepare();
  const certificates = settings.tls && (await loadCertificates(settings.tls, log));
  const server = await serve({
    listeners: composition.listeners.map((options) => ({
      ...options,
      ...(certificates && { certificates }),
      ...(settings.inherited && { inherited: settings.inherited }),
    })),
    portal,
    resources: [
      ...checkers.map((checker, index) => [`auth ${index + 1}`, checker] as const),
      ['hashes', withUsers] as const,
      ['deliver', factory] as const,
      ['access', access] as const,
    ],
  }).catch((error: unknown) => {
    throw cannotListen(error);
  });
  return {
    listeners: server.listeners,
    files: filesOf(composition, certificates),
    async close(shutdownTimeout) {
      const closed = server
        .close({ shutdownTimeout })
        .catch((error: unknown) => log.error('the server closed with errors', { error }));
      // A part that never closes must not keep the process. The timer keeps it until then.
      await Promise.race([closed, setTimeout(2 * shutdownTimeout)]);
    },
  };
}

/**
 * Returns true for a server that mail servers and web servers depend on. It greets them while its
 * user stores are down: Postfix refuses all mail for a minute after a failed handshake.
 */
function servesOthers({ listeners }: Settings): boolean {
  return listeners.some(isAuthServer);
}

async function loadCertificates(tls: TlsSettings, log: Log): Promise<Certificates> {
  const { loadCertificates } = await import('./certificates.ts');
  return await loadCertificates(tls, (warning) => log.warn(warning));
}

async function withScramKey(settings: Settings): Promise<Settings> {
  const { sasl, scramKey, sharedScramKey } = settings;
  const key = scramKey === undefined ? (sasl.scram?.key ?? sharedScramKey) : await loadScramKey(scramKey);
  if (key === undefined) return settings;
  return { ...settings, sasl: { ...sasl, scram: { ...sasl.scram, key } } };
}

function filesOf(
  { recipients, ownSenders, checkers }: Composition,
  certificates: Certificates | undefined,
): readonly ReloadableFiles[] {
  const files: ReloadableFiles[] = [];
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
  for (const checker of storeCheckersOf(checkers)) {
    if (!checker.readsFiles) continue;
    files.push({
      read: () => checker.reload(),
      done: `users read again from ${checker.name}`,
      failed: `the users of ${checker.name} cannot be used, the old ones stay`,
    });
  }
  return files;
}

/** Every server accepts mail for the postmaster (RFC 5321 §4.5.1): it should have a reader. */
function warnOfPostmaster({ recipients, factory }: Composition, log: Log): void {
  if (recipients === undefined || recipients.hasPostmaster || factory.isLocal !== true) return;
  log.warn('mail for postmaster is accepted and has no reader: add an alias, such as postmaster: ann@example.com');
}
