import { AvatarRealm, Portal } from '@postern/cred';
import { authenticate, scram } from '@postern/sasl';
import { scramResponder } from '@postern/sasl/client';
import { UserChecker, type UserStore } from '@postern/users';
import { password, username } from './account.ts';
import { record, replay, type ServerHalf } from './exchanges.ts';
import { Door } from './mechanisms.ts';
import { mindOf } from './mind.ts';
import { openStore } from './open-store.ts';
import type { Options } from './options.ts';
import { ratio, spread, verdict } from './statistics.ts';
import { table } from './table.ts';

/**
 * Work d: SCRAM-SHA-256 logins by way of portal and checker, without a network, so that the look-up
 * is most of the work. Prints the rates, in a second of processor time, beside the first store's.
 */
export async function benchPortalLogins(
  stores: readonly { readonly name: string; readonly spec: string; readonly asked?: number }[],
  options: Options,
): Promise<void> {
  const rates = new Map(stores.map(({ name }): [string, number[]] => [name, []]));
  for (let round = 0; round < options.rounds; round++) {
    for (const { name, spec } of stores) {
      await using store = await openStore(spec);
      const server = portalLogin(store);
      await rate(server, options.warmUp);
      rates.get(name)?.push(await rate(server, options.measure));
    }
  }
  const [first = []] = rates.values();
  const rows = stores.map(({ name, asked }) => {
    const ofStore = rates.get(name) ?? [];
    const ratios = spread(ofStore.map((value, round) => value / (first[round] ?? Number.NaN)));
    return [name, Math.round(spread(ofStore).median).toLocaleString('en'), ratio(ratios), verdict(ratios, asked)];
  });
  console.log(`\n${table(['d the same without a network', 'logins/s', 'of the first', 'asked'], rows)}`);
}

/** Returns the server's half of an exchange, by way of a portal for the users of the store. */
function portalLogin(store: UserStore): ServerHalf {
  const portal = new Portal(new AvatarRealm().provide(Door, () => new Door())).register(new UserChecker(store));
  const challenger = scram({ hash: 'sha256', nonce });
  return async (initialResponse, ask) => {
    const login = await authenticate({
      challenger,
      portal,
      mind: mindOf(undefined),
      interfaces: [Door],
      initialResponse,
      ask,
      // The time of a look-up shows here.
      minChallengeDelay: 0,
    });
    await login.logout();
  };
}

/** Returns the logins in a second of the processor time of this process. */
async function rate(server: ServerHalf, milliseconds: number): Promise<number> {
  const recordings = await Promise.all(
    usernames.map((name) => {
      const responder = scramResponder({ hash: 'sha256', username: name, password, nonce });
      return record(server, responder, undefined);
    }),
  );
  let logins = 0;
  const begin = process.cpuUsage();
  const end = performance.now() + milliseconds;
  do {
    await Promise.all(recordings.map((recording) => replay(BATCH, server, recording)));
    logins += recordings.length * BATCH;
  } while (performance.now() < end);
  const { user, system } = process.cpuUsage(begin);
  return (logins / (user + system)) * 1e6;
}

/** A fixed nonce, so that an exchange can be recorded. */
const nonce = (): string => 'fyko+d2lbbFgONRv9qkxdawL';

/** The users that log in at the same time. */
const usernames = Array.from({ length: 16 }, (_, index) => `${username}${String(index).padStart(7, '0')}`);

/** The logins of each user between two looks at the clock. */
const BATCH = 16;
