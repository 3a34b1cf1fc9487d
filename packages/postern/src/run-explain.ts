import { knownChallengers, whyLeftOut } from '@postern/sasl';
import { compose } from './compose.ts';
import { explainListener } from './explain.ts';
import { openLog } from './log.ts';
import { shutOutAt } from './offer-warnings.ts';
import { printOut } from './print.ts';
import { readSettings } from './read-settings.ts';

/** `postern explain`. */
export async function runExplain(argv: readonly string[]): Promise<number> {
  const settings = await readSettings(argv);
  const composition = compose(settings, {
    log: openLog('silent'),
    print: printOut,
    hostname: settings.hostname,
    recipientDelimiter: settings.recipientDelimiter,
  });
  const { challengers, portal, offer, acceptsGuests, authenticationOf } = composition;
  const tables = settings.listeners.map((listener) =>
    explainListener(listener, authenticationOf(listener), {
      known: knownChallengers(settings.sasl),
      offered: challengers,
      portal,
      acceptsGuests,
      offer,
      whyLeftOut: (mechanism) => whyLeftOut(mechanism, settings.sasl),
      shutOut: shutOutAt(listener, settings, composition),
    }),
  );
  await printOut(tables.join('\n'));
  return 0;
}
