import type { SecretOptions } from '@postern/users';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';
import { storeCheckersOf } from './user-store-checker.ts';
import { loadCrypt } from './user-store-spec.ts';
import { openHashQueue, policyOf, usersError } from './users-options.ts';

/**
 * The open user stores of a server. It closes the parts that the stores share; each checker closes
 * its store.
 */
export interface OpenUsers extends AsyncDisposable {
  /** The settings with the canonical names of the stores, and with SCRAM's key in a database. */
  readonly settings: Settings;
  /** The options by which the stores' secrets are read. */
  readonly secretOptions: SecretOptions;
}

/**
 * Opens the user stores of the settings, in their order. A server without a user store loads
 * nothing.
 *
 * @param outlivesOutage True if the server starts without a store that is down.
 * @throws StartError that names the store.
 */
export async function openUsers(settings: Settings, log: Log, outlivesOutage = false): Promise<OpenUsers> {
  const checkers = storeCheckersOf(settings.checkers);
  const { sasl } = settings;
  if (checkers.length === 0) return { settings, secretOptions: {}, async [Symbol.asyncDispose]() {} };
  const { canonicalName, defaultPolicy, hashPassword } = await import('@postern/users');
  const { cache, allowWeak } = settings.users;
  const policy = { ...defaultPolicy, ...policyOf(settings.users) };
  const queue = await openHashQueue(settings.users);
  const warn = (reason: string) => log.warn('yescrypt and other hashes of libcrypt are not available', { reason });
  let secretOptions: SecretOptions;
  try {
    // A policy out of range would fail at the first login.
    if (Object.keys(policyOf(settings.users)).length > 0) await hashPassword('a trial', { queue, policy });
    secretOptions = { allowWeak, crypt: await loadCrypt(warn) };
    const options = { queue, policy, ...secretOptions };
    const parts = { options, cache, logError: logUserError(log) };
    if (outlivesOutage) await Promise.all(checkers.map((checker) => checker.openOrRetry(parts)));
    else for (const checker of checkers) await checker.open(parts);
  } catch (error) {
    for (const checker of checkers) await checker[Symbol.asyncDispose]();
    await queue.close();
    throw usersError(error);
  }
  // The options of the operator come first: machines with different databases may share a key.
  const stored = checkers.find(({ store }) => store?.scramKey !== undefined)?.store?.scramKey;
  const key = sasl.scram?.key ?? (settings.scramKey === undefined ? stored : undefined);
  if (key === undefined && settings.scramKey === undefined) for (const checker of checkers) checker.withholdScram();
  const canonical = (name: string) => canonicalName(name) ?? name;
  return {
    secretOptions,
    // Every spelling of an unknown name gets one salt, as every spelling of a user does.
    settings: { ...settings, sasl: { ...sasl, scram: { canonical, ...sasl.scram, ...(key && { key }) } } },
    [Symbol.asyncDispose]: () => queue.close(),
  };
}

function logUserError(log: Log): (store: string, error: unknown) => void {
  return (store, error) => log.error('a user store has a fault', { store, culprit: 'operator', error });
}
