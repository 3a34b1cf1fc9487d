import { formatEndpoint } from '@postern/node';
import { excludedClients, offered } from '@postern/sasl';
import type { Composition } from './compose.ts';
import { hypotheticalMind, hypotheticalTls } from './hypothetical-client.ts';
import type { ListenerSettings } from './listener-settings.ts';
import type { Log } from './log.ts';
import type { Settings } from './settings.ts';

/** Warns of common clients that the offered mechanisms shut out, and of passwords without TLS. */
export function warnOfOffers(settings: Settings, composition: Composition, log: Log): void {
  const { allowCleartext, listeners } = settings;
  const clients = new Set(listeners.flatMap((listener) => shutOutAt(listener, settings, composition)));
  if (clients.size > 0) {
    log.warn('the mechanisms offered shut out common clients', { clients: [...clients].join('; ') });
  }
  for (const listener of listeners) {
    if (!offersNothing(listener, settings, composition)) continue;
    log.warn('no mechanism is offered, so that no client can log in; see postern explain', {
      listener: formatEndpoint(listener.endpoint),
    });
  }
  if (allowCleartext.length > 0) {
    log.warn('clients of these networks may send passwords without TLS, which others there can read', {
      networks: allowCleartext.join(','),
    });
  }
}

/**
 * Returns the common clients that cannot log in at the listener under some TLS version, each with
 * the cause.
 */
export function shutOutAt(listener: ListenerSettings, settings: OfferSettings, composition: Offers): readonly string[] {
  // The list of common clients is one of mail clients.
  if (listener.service === 'http' || composition.authenticationOf(listener) === 'none') return [];
  const channelBindings = settings.sasl.scram?.channelBindings;
  const clients = new Set<string>();
  for (const { version, names } of offersAt(listener, settings, composition)) {
    for (const client of excludedClients(names, { tls: version, channelBindings })) clients.add(client);
  }
  return [...clients];
}

type OfferSettings = Pick<Settings, 'sasl' | 'tls'>;
type Offers = Pick<Composition, 'challengersOf' | 'portal' | 'mechanismPolicy' | 'authenticationOf'>;

/**
 * Returns true if a listener requires a login and offers no mechanism under one of its TLS
 * versions.
 */
function offersNothing(listener: ListenerSettings, settings: OfferSettings, composition: Offers): boolean {
  if (composition.authenticationOf(listener) !== 'required') return false;
  return offersAt(listener, settings, composition).some(({ names }) => names.length === 0);
}

/** Returns the mechanisms that the listener offers under each of its TLS versions. */
function offersAt(
  listener: ListenerSettings,
  { tls }: OfferSettings,
  { challengersOf, portal, mechanismPolicy }: Offers,
) {
  const challengers = challengersOf(listener);
  return versionsOf(listener, tls).map((version) => {
    const mind = hypotheticalMind(listener, version && hypotheticalTls(version));
    return { version, names: offered(challengers, portal, mind, mechanismPolicy).map(({ mechanism }) => mechanism) };
  });
}

/**
 * Returns the TLS versions of a listener. Undefined stands for a listener without TLS; where there
 * is TLS, clients use it.
 */
function versionsOf(listener: ListenerSettings, tls: Settings['tls']): readonly ('TLSv1.2' | 'TLSv1.3' | undefined)[] {
  if (listener.tls === 'none') return [undefined];
  return tls?.minVersion === 'TLSv1.3' ? ['TLSv1.3'] : ['TLSv1.2', 'TLSv1.3'];
}
