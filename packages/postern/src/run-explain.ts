import { allChallengers, whyLeftOut } from '@postern/sasl';
import type { CommandProcess } from './command-process.ts';
import { compose } from './compose.ts';
import { explainListener } from './explain.ts';
import { openLog } from './log.ts';
import { shutOutAt } from './offer-warnings.ts';
import { printerTo } from './print.ts';
import { readSettings } from './read-settings.ts';

/** `postern explain`. */
export async function runExplain(argv: readonly string[], { stdout }: CommandProcess): Promise<number> {
  const print = printerTo(stdout);
  const settings = await readSettings(argv);
  const composition = compose(settings, {
    log: openLog('silent'),
    print,
    hostname: settings.hostname,
    recipientDelimiter: settings.recipientDelimiter,
  });
  const { challengers, portal, mechanismPolicy, acceptsAnonymous, authenticationOf } = composition;
  const tables = settings.listeners.map((listener) =>
    explainListener(listener, authenticationOf(listener), {
      known: allChallengers(settings.sasl),
      offered: challengers,
      portal,
      acceptsAnonymous: acceptsAnonymous,
      mechanismPolicy: mechanismPolicy,
      whyLeftOut: (mechanism) => whyLeftOut(mechanism, settings.sasl),
      shutOut: shutOutAt(listener, settings, composition),
    }),
  );
  await print(tables.join('\n'));
  return 0;
}
