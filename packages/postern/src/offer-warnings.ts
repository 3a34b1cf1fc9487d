import { formatEndpoint } from '@postern/node';
import { offered, shutOut } from '@postern/sasl';
import type { Composition } from './compose.ts';
import { imaginedClient, imaginedMind, imaginedTls } from './imagined-clients.ts';
import type { Log } from './log.ts';
import type { ListenerSettings, Settings } from './settings.ts';

/** Warns of common clients that the offered mechanisms shut out, and of passwords that may cross a network in the clear. */
export function warnOfOffers(settings: Settings, composition: Composition, log: Log): void {
  const { allowCleartext, listeners } = settings;
  const clients = new Set(listeners.flatMap((listener) => shutOutAt(listener, settings, composition)));
  if (clients.size > 0) {
    log.warn('the mechanisms offered shut out common clients', { clients: [...clients].join('; ') });
  }
  for (const listener of listeners) {
    if (!offersNothing(listener, settings, composition)) continue;
    log.warn('no mechanism is offered, so that nobody can log in; see postern explain', {
      listener: formatEndpoint(listener.endpoint),
    });
  }
  if (allowCleartext.length > 0) {
    log.warn('clients of these networks may send passwords without TLS, which others there can read', {
      networks: allowCleartext.join(','),
    });
  }
}

/** Names the common clients that cannot log in at the listener, each with the cause, under any TLS version it takes. */
export function shutOutAt(listener: ListenerSettings, settings: OfferSettings, composition: Offers): readonly string[] {
  if (composition.authenticationOf(listener) === 'none') return [];
  const channelBindings = settings.sasl.scram?.channelBindings;
  const clients = new Set<string>();
  for (const { version, names } of offersAt(listener, settings, composition)) {
    for (const client of shutOut(names, { tls: version, channelBindings })) clients.add(client);
  }
  return [...clients];
}

type OfferSettings = Pick<Settings, 'sasl' | 'tls'>;
type Offers = Pick<Composition, 'challengers' | 'portal' | 'mechanismPolicy' | 'authenticationOf'>;

/** True if a listener that wants a login offers none under a TLS version that it takes. */
function offersNothing(listener: ListenerSettings, settings: OfferSettings, composition: Offers): boolean {
  if (composition.authenticationOf(listener) !== 'required') return false;
  return offersAt(listener, settings, composition).some(({ names }) => names.length === 0);
}

/** The mechanisms that the listener offers under each TLS version that it takes. */
function offersAt(
  listener: ListenerSettings,
  { tls }: OfferSettings,
  { challengers, portal, mechanismPolicy }: Offers,
) {
  return versionsOf(listener, tls).map((version) => {
    const mind = imaginedMind(imaginedClient(listener.endpoint), version && imaginedTls(version));
    return { version, names: offered(challengers, portal, mind, mechanismPolicy).map(({ mechanism }) => mechanism) };
  });
}

/** Where the listener has TLS, clients use it: undefined stands for a listener without. */
function versionsOf(listener: ListenerSettings, tls: Settings['tls']): readonly ('TLSv1.2' | 'TLSv1.3' | undefined)[] {
  if (listener.tls === 'none') return [undefined];
  return tls?.minVersion === 'TLSv1.3' ? ['TLSv1.3'] : ['TLSv1.2', 'TLSv1.3'];
}
