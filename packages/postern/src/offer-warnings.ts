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
  if (allowCleartext.length > 0) {
    log.warn('clients of these networks may send passwords without TLS, which others there can read', {
      networks: allowCleartext.join(','),
    });
  }
}

/** Names the common clients that cannot log in at the listener, each with the cause, under any TLS version it takes. */
export function shutOutAt(
  listener: ListenerSettings,
  { sasl, tls }: Pick<Settings, 'sasl' | 'tls'>,
  {
    challengers,
    portal,
    offer,
    authenticationOf,
  }: Pick<Composition, 'challengers' | 'portal' | 'offer' | 'authenticationOf'>,
): readonly string[] {
  if (authenticationOf(listener) === 'none') return [];
  const channelBindings = sasl.scram?.channelBindings;
  const clients = new Set<string>();
  for (const version of versionsOf(listener, tls)) {
    const mind = imaginedMind(imaginedClient(listener.endpoint), version && imaginedTls(version));
    const names = offered(challengers, portal, mind, offer).map(({ mechanism }) => mechanism);
    for (const client of shutOut(names, { tls: version, channelBindings })) clients.add(client);
  }
  return [...clients];
}

/** Where the listener has TLS, clients use it: undefined stands for a listener without. */
function versionsOf(listener: ListenerSettings, tls: Settings['tls']): readonly ('TLSv1.2' | 'TLSv1.3' | undefined)[] {
  if (listener.tls === 'none') return [undefined];
  return tls?.minVersion === 'TLSv1.3' ? ['TLSv1.3'] : ['TLSv1.2', 'TLSv1.3'];
}
