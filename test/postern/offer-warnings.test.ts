import { ScramSha256Credentials } from '@postern/sasl';
import { type Config, defineConfig } from 'postern';
import { describe, expect, it } from 'vitest';
import { compose } from '../../packages/postern/src/compose.ts';
import { UsageError } from '../../packages/postern/src/errors.ts';
import { type Log, silentLog } from '../../packages/postern/src/log.ts';
import { warnOfOffers } from '../../packages/postern/src/offer-warnings.ts';
import { parseOptions } from '../../packages/postern/src/options.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';

const SECURE = { listen: ['smtps://0.0.0.0:465'], auth: ['memory:joe:secret'], tls: { cert: 'c', key: 'k' } };

/** Returns the warnings of the server. */
async function warnings(config: Config): Promise<readonly string[]> {
  const told: string[] = [];
  const log: Log = {
    ...silentLog,
    warn: (message, facts) => void told.push(`${message} ${JSON.stringify(facts)}`),
  };
  const settings = settingsOf({ config, nameOf: (key) => key });
  warnOfOffers(settings, await compose(settings, { log, print: async () => {} }), log);
  return told;
}

describe('a warning of shut-out clients', () => {
  it.each<[string, Config]>([
    ['the default', SECURE],
    ['a listener without AUTH', { listen: ['lmtp://127.0.0.1:24'] }],
    ['no TLS', { listen: ['smtp://127.0.0.1:25'], auth: ['memory:joe:secret'] }],
  ])('is not given for %s', async (_what, config) => {
    expect(await warnings(defineConfig(config))).toEqual([]);
  });

  it.each<[string, NonNullable<Config['sasl']>, RegExp]>([
    ['channel binding that is offered', { channelBinding: 'offered' }, /mutt, neomutt/],
    ['channel binding that is required', { channelBinding: 'required' }, /mutt.*Go net\/smtp.*curl/],
    ['SCRAM-SHA-256 without its -PLUS', { mechanisms: ['SCRAM-SHA-256', 'PLAIN'] }, /msmtp from 1\.8\.26/],
    [
      'a binding that GNU SASL needs and the server refuses',
      { channelBinding: 'offered', scram: { channelBindings: ['tls-exporter', 'tls-server-end-point'] } },
      /msmtp, mpop, gsasl under TLS 1\.2/,
    ],
  ])('is one line for %s', async (_what, sasl, clients) => {
    expect(await warnings(defineConfig({ ...SECURE, sasl }))).toEqual([
      expect.stringMatching(new RegExp(`^the mechanisms offered shut out common clients .*${clients.source}`)),
    ]);
  });
});

describe('a warning that no user can log in', () => {
  const secrets = {
    credentialInterfaces: [ScramSha256Credentials],
    requestAvatarId: () => 'joe',
  };
  const key = { scram: { key: new Uint8Array(32) } };

  it('is given if the stored secrets fit no offered mechanism', async () => {
    expect(await warnings({ ...SECURE, auth: [secrets], sasl: key })).toContainEqual(
      expect.stringMatching(/^no mechanism is offered.*smtps:\/\/0\.0\.0\.0:465/),
    );
  });

  it('is not given if they fit one, or if mail needs no login', async () => {
    const named = { ...key, mechanisms: ['SCRAM-SHA-256'] };
    for (const config of [
      { ...SECURE, auth: [secrets], sasl: named },
      { listen: ['smtp://0.0.0.0:25?service=mx'], auth: [secrets], sasl: key },
    ]) {
      expect((await warnings(config)).filter((warning) => warning.startsWith('no mechanism'))).toEqual([]);
    }
  });
});

describe('--allow-cleartext', () => {
  it('causes a warning at each start', async () => {
    const { config } = parseOptions(['--allow-cleartext', '172.16.0.0/12,fd00::/8']);
    expect(config.allowCleartext).toEqual(['172.16.0.0/12', 'fd00::/8']);
    expect(await warnings(config)).toEqual([expect.stringMatching(/without TLS.*172\.16\.0\.0\/12,fd00::\/8/)]);
  });

  it('accepts networks', async () => {
    const { config } = parseOptions(['--allow-cleartext', '10.0.0.0/33']);
    await expect(warnings(config)).rejects.toThrow(UsageError);
  });

  it('offers mechanisms that expose the password to clients of that network only', async () => {
    const settings = settingsOf({ config: { allowCleartext: ['172.16.0.0/12'] }, nameOf: (key) => key });
    const { mechanismPolicy } = await compose(settings, {
      log: silentLog,
      print: async () => {},
    });
    const may = (address: string) =>
      typeof mechanismPolicy.allowCleartext === 'function' &&
      mechanismPolicy.allowCleartext({ family: 'IPv4', address, port: 1 });
    expect([may('172.17.0.2'), may('192.0.2.1')]).toEqual([true, false]);
  });
});

describe('--channel-binding', () => {
  it.each(['off', 'offered', 'required'])('accepts %s', (word) => {
    expect(parseOptions(['--channel-binding', word]).config.sasl).toEqual({ channelBinding: word });
  });

  it('refuses other words', () => {
    expect(() => parseOptions(['--channel-binding', 'on'])).toThrow(
      '--channel-binding: expected off, offered, required',
    );
  });

  it('works together with a list of mechanisms', () => {
    const { config } = parseOptions(['--channel-binding', 'required', '--mechanisms', 'external']);
    expect(config.sasl).toEqual({ channelBinding: 'required', mechanisms: ['EXTERNAL'] });
  });
});
