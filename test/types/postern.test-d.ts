// Checks the type of a config file: code that compiles, and code that must not. It never runs.
import { AnonymousChecker } from '@postern/cred';
import { type Config, ConsoleDelivery, defineConfig, maildir } from 'postern';
import type { Equal, Expect } from './support.ts';

// The schema's type is as exact as a handwritten one.
export type Listen = Expect<Equal<Config['listen'], readonly string[] | undefined>>;
export type Workers = Expect<Equal<Config['workers'], number | 'auto' | undefined>>;
export type Log = Expect<Equal<Config['log'], 'pretty' | 'json' | 'silent' | undefined>>;
export type MinVersion = Expect<Equal<NonNullable<Config['tls']>['minVersion'], 'TLSv1.2' | 'TLSv1.3' | undefined>>;

export const full = defineConfig({
  listen: ['smtp://127.0.0.1:0'],
  auth: ['anonymous', new AnonymousChecker()],
  deliver: maildir({ folder: 'mail' }),
  notify: (avatarId) => new ConsoleDelivery(String(avatarId), async () => {}),
  recipients: async ({ localPart }) => localPart === 'ann',
  aliases: new Map([['sales', 'ann']]),
  ownSenders: { ann: ['@example.com'] },
  tls: { cert: 'cert.pem', key: 'key.pem', named: [{ cert: 'cert.pem', key: 'key.pem', names: ['*.example.com'] }] },
  sasl: { channelBinding: 'offered', scram: { iterations: 4096 } },
  limits: { maxMessageSize: 1, maxConnections: 1, maxMemory: 1 },
  throttle: false,
});

// @ts-expect-error: an option of an unknown name
defineConfig({ lisen: [] });
// @ts-expect-error: a certificate without its key
defineConfig({ tls: { cert: 'cert.pem' } });
// @ts-expect-error: an unknown part of SCRAM
defineConfig({ sasl: { scram: { iteratons: 4096 } } });
// @ts-expect-error: an object literal is no delivery
defineConfig({ deliver: { validateFrom() {}, validateTo() {}, openMessage() {} } });
// @ts-expect-error: an unknown form of the log
defineConfig({ log: 'loud' });
