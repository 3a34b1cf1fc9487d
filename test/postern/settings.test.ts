import type { Mind } from '@postern/cred';
import { AnonymousChecker, InMemoryUsernamePasswordDatabaseDontUse, UsernamePassword } from '@postern/cred';
import { type Config, DeliveryTarget, DiscardDelivery } from 'postern';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../../packages/postern/src/errors.ts';
import { type ConfigSource, settingsOf } from '../../packages/postern/src/settings.ts';

const flags = (config: Config): ConfigSource => ({ config, nameOf: (key) => `--${key}` });
const file = (config: Config): ConfigSource => ({ config, nameOf: (key) => `${key} in my.config.ts` });
const tls = { cert: 'cert.pem', key: 'key.pem' };
const noMind = {} as Mind;

describe('the settings of a server', () => {
  it('have defaults for everything: loopback, a demo user, the console', async () => {
    const settings = settingsOf(flags({}));
    expect(settings.listeners).toEqual([
      { endpoint: { scheme: 'smtp', host: '127.0.0.1', port: 2500 }, service: 'submission', tls: 'none' },
    ]);
    expect(settings.log).toBe('pretty');
    expect(settings.hostname).toMatch(/^[\w.-]+$/);
    const { demoUser, checkers } = settings;
    expect(demoUser).toMatchObject({ username: 'demo', password: expect.stringMatching(/^[\w-]{16}$/) });
    const credentials = new UsernamePassword('demo', demoUser?.password ?? '');
    expect(await checkers[0]?.requestAvatarId(credentials as never, noMind)).toBe('demo');
  });

  it('take the TLS files from the options and other TLS settings from the config file', () => {
    const own = { cert: 'own.pem', key: 'own.pem', minVersion: 'TLSv1.3', clientCa: 'ca.pem' } as const;
    expect(settingsOf(flags({ tls }), file({ tls: own })).tls).toEqual({ ...own, ...tls });
    expect(settingsOf(flags({}), file({ tls: own })).tls).toEqual(own);
    expect(settingsOf(flags({}), file({})).tls).toBeUndefined();
  });

  it('create a new password for each demo user', () => {
    expect(settingsOf(flags({})).demoUser?.password).not.toBe(settingsOf(flags({})).demoUser?.password);
  });

  it('create a demo user only if a listener allows AUTH', () => {
    for (const [listen, hasDemoUser] of [
      [['lmtp+unix:/run/lmtp'], false],
      [['smtp://127.0.0.1:25?service=mx'], false],
      [['smtp://127.0.0.1:25?auth=none'], false],
      [['lmtp://127.0.0.1:24?auth=required'], true],
      [['smtp://127.0.0.1:25?service=mx', 'smtp://127.0.0.1:587'], true],
    ] as const) {
      const settings = settingsOf(flags({ listen }));
      expect([settings.demoUser !== undefined, settings.checkers.length]).toEqual([hasDemoUser, hasDemoUser ? 1 : 0]);
    }
  });

  it('keep the order of the user databases and create no demo user then', () => {
    const own = new AnonymousChecker();
    const { checkers, demoUser } = settingsOf(flags({ auth: ['memory:joe:secret', own, 'anonymous'] }));
    expect(demoUser).toBeUndefined();
    expect(checkers).toHaveLength(3);
    expect(checkers[0]).toBeInstanceOf(InMemoryUsernamePasswordDatabaseDontUse);
    expect(checkers[1]).toBe(own);
    expect(checkers[2]).toBeInstanceOf(AnonymousChecker);
  });

  it('allow colons in a password', async () => {
    const { checkers } = settingsOf(flags({ auth: ['memory:joe:a:b:'] }));
    expect(await checkers[0]?.requestAvatarId(new UsernamePassword('joe', 'a:b:') as never, noMind)).toBe('joe');
  });

  it.each([
    ['smtp://127.0.0.1:0', undefined, 'none'],
    ['smtp://127.0.0.1:0', tls, 'offered'],
    ['smtp://127.0.0.1:0?tls=none', tls, 'none'],
    ['smtp://127.0.0.1:0?tls=none', undefined, 'none'],
    ['smtp://127.0.0.1:0?tls=required', tls, 'required'],
    ['smtps://127.0.0.1:0', tls, 'implicit'],
    ['smtps://127.0.0.1:0?tls=required', tls, 'implicit'],
    ['lmtp://127.0.0.1:0', tls, 'offered'],
    ['lmtps://127.0.0.1:0', tls, 'implicit'],
    ['lmtp+unix:/run/lmtp', tls, 'none'],
    ['lmtp+unix:/run/lmtp?tls=required', tls, 'required'],
  ])('turn %s with certificate %j into the policy %s', (url, files, policy) => {
    const { listeners } = settingsOf(flags({ listen: [url], ...(files && { tls: files }) }));
    expect(listeners[0]?.tls).toBe(policy);
  });

  it('prefer the command line to the config file', () => {
    const deliver = new DiscardDelivery();
    const settings = settingsOf(
      flags({ hostname: 'flag.example.com' }),
      file({ hostname: 'file.example.com', listen: ['smtp://[::1]:1'], log: 'json', deliver }),
    );
    expect(settings).toMatchObject({
      hostname: 'flag.example.com',
      log: 'json',
      listeners: [{ endpoint: { host: '::1', port: 1 } }],
    });
  });

  it('take the mechanisms from the command line and their options from the config file', () => {
    const { sasl } = settingsOf(
      flags({ sasl: { mechanisms: ['PLAIN'] } }),
      file({ hostname: 'file.example.com', sasl: { mechanisms: ['LOGIN'], scram: { iterations: 4096 } } }),
    );
    expect(sasl).toEqual({ hostname: 'file.example.com', mechanisms: ['PLAIN'], scram: { iterations: 4096 } });
  });

  it('ignore a setting of the config file that the command line overrides', () => {
    expect(settingsOf(flags({ deliver: 'discard' }), file({ deliver: 'pigeon' })).deliver).toBeInstanceOf(
      DeliveryTarget,
    );
  });

  it.each<[ConfigSource, string, string]>([
    [flags({ listen: ['smtp://127.0.0.1:25', 'x'] }), '--listen: "x"', 'smtp://HOST:PORT'],
    [flags({ listen: ['smtps://127.0.0.1:25'] }), '--listen: "smtps://127.0.0.1:25"', '--tls-cert'],
    [flags({ listen: ['smtp://127.0.0.1:25?tls=required'] }), '--listen', '--tls-cert'],
    [flags({ listen: ['lmtp+unix:/run/lmtp'], workers: 2 }), '--workers', 'a UNIX socket'],
    [flags({ listen: ['lmtp://127.0.0.1:25'] }), '--listen', 'any port but 25'],
    [flags({ auth: ['trusted:x'] }), '--auth', 'trusted and nothing after it'],
    [flags({ auth: ['ldap:x'] }), '--auth', 'memory:USER:PASSWORD or anonymous'],
    [flags({ auth: ['memory'] }), '--auth', 'memory:USER:PASSWORD'],
    [flags({ auth: ['memory:joe'] }), '--auth', 'memory:USER:PASSWORD'],
    [flags({ auth: ['memory::secret'] }), '--auth', 'memory:USER:PASSWORD'],
    [flags({ auth: ['memory:joe:'] }), '--auth', 'memory:USER:PASSWORD'],
    [flags({ auth: ['anonymous:joe'] }), '--auth', 'anonymous and nothing after it'],
    [flags({ deliver: 'pigeon' }), '--deliver', 'console or discard or maildir:DIR'],
    [flags({ deliver: 'maildir' }), '--deliver', 'maildir:DIR'],
    [flags({ deliver: 'maildir:' }), '--deliver', 'maildir:DIR'],
    [flags({ deliver: 'console:x' }), '--deliver', 'console and nothing after it'],
    [flags({ hostname: 'two words' }), '--hostname', 'a domain name'],
    [flags({ hostname: 'x\r\n250 y' }), '--hostname', 'a domain name'],
    [file({ auth: ['ldap:x'] }), 'auth in my.config.ts', 'memory:USER:PASSWORD'],
  ])('refuse %j: %s, %s', (source, name, expected) => {
    expect(() => settingsOf(source)).toThrow(name);
    expect(() => settingsOf(source)).toThrow(expected);
  });

  it('repeat no password in an error', () => {
    expect(() => settingsOf(flags({ auth: ['memorie:joe:secret'] }))).toThrow(/^(?!.*secret)/);
  });

  it.each<[Config, string]>([
    [{ limits: { maxCommandLine: 5 } }, 'limits in my.config.ts: maxCommandLine: expected 510 or more'],
    [
      { allowCleartext: ['10.0.0.0/33'] },
      'allowCleartext in my.config.ts: expected addresses and networks, such as 172.16.0.0/12: 10.0.0.0/33 is neither',
    ],
    [{ limits: { loginTimeout: 0 } }, 'limits in my.config.ts: loginTimeout: expected more than 0'],
    [{ limits: { maxConnections: 0 } }, 'limits in my.config.ts: maxConnections: expected 1 or more, not 0'],
    [{ throttle: { user: { failures: 0, window: 1 } } }, 'throttle in my.config.ts: user: expected failures'],
  ])('refuse limits that make the server unusable: %j', (config, message) => {
    expect(() => settingsOf(file(config))).toThrow(UsageError);
    expect(() => settingsOf(file(config))).toThrow(message);
  });

  it('accept limits of zero refusals and zero delay', () => {
    const { limits, logins, connections } = settingsOf(
      file({
        limits: {
          undelayedLoginFailures: 0,
          minFailureDelay: 0,
          loginTimeout: 5_000,
          maxConnections: 5,
          maxHandshakesPerMinute: 6,
        },
      }),
    );
    expect(limits).toEqual({ undelayedLoginFailures: 0, minFailureDelay: 0 });
    expect(logins).toEqual({ loginTimeout: 5_000 });
    expect(connections).toEqual({ maxConnections: 5, maxHandshakesPerMinute: 6 });
  });
});
