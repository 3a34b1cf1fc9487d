import { knownChallengers } from '@postern/sasl';
import { compose } from './compose.ts';
import { explainListener } from './explain.ts';
import { openLog } from './log.ts';
import { printOut } from './print.ts';
import { readSettings } from './read-settings.ts';

/** `postern explain`. */
export async function runExplain(argv: readonly string[]): Promise<number> {
  const settings = await readSettings(argv);
  const { challengers, portal, acceptsGuests, authenticationOf } = compose(settings, {
    log: openLog('silent'),
    print: printOut,
    hostname: settings.hostname,
  });
  const known = knownChallengers(settings.sasl);
  const tables = settings.listeners.map((listener) =>
    explainListener(listener, authenticationOf(listener), { known, offered: challengers, portal, acceptsGuests }),
  );
  await printOut(tables.join('\n'));
  return 0;
}
