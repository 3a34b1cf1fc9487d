import { describe, expect, it } from 'vitest';
import type { Config } from '../../packages/postern/src/config.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';
import { startWarnings } from '../../packages/postern/src/start-warnings.ts';

/** Returns the first words of each warning at the start. */
function warnings(config: Config, acceptsAnonymous = false): string[] {
  const tls = config.tls ?? { cert: 'cert.pem', key: 'key.pem' };
  const settings = settingsOf({ config: { ...config, tls }, nameOf: String });
  return startWarnings(settings, acceptsAnonymous).map(({ message }) => message.split(/[,:;]/)[0] ?? '');
}

const OPEN = ['smtp://0.0.0.0:587?tls=required'];
const WEAK = 'an attacker can guess a password of fewer than 8 characters';
const LONG = 'memory:joe:correct-horse';

describe('a configuration that remote clients reach', () => {
  it.each<[string, Config, boolean, string[]]>([
    ['a short password', { listen: OPEN, auth: ['memory:joe:secret'] }, false, [WEAK, 'memory']],
    ['two of them', { listen: OPEN, auth: ['memory:joe:1234567', 'memory:ann:a:b'] }, false, [WEAK, WEAK, 'memory']],
    ['eight characters', { listen: OPEN, auth: ['memory:joe:12345678'] }, false, ['memory']],
    ['eight characters, not octets', { listen: OPEN, auth: ['memory:joe:ä😀ä😀'] }, false, [WEAK, 'memory']],
    ['no TLS', { listen: ['smtp://0.0.0.0:587?tls=none'], auth: [LONG] }, false, ['no TLS', 'memory']],
    [
      'anonymous clients',
      { listen: OPEN, auth: ['anonymous'] },
      true,
      ['clients on other machines may send mail without a login'],
    ],
    [
      'no AUTH',
      { listen: ['smtp://*:25?auth=none'] },
      false,
      ['clients on other machines may send mail without a login'],
    ],
    ['no throttle', { listen: OPEN, auth: [LONG], throttle: false }, false, ['memory', 'throttle']],
  ])('causes warnings: %s', (_, config, acceptsAnonymous, expected) => {
    expect(warnings(config, acceptsAnonymous)).toEqual(expected);
  });

  it('is reported with the user name and without the password', () => {
    const settings = settingsOf({
      config: { listen: ['smtp://0.0.0.0:587'], auth: ['memory:joe:secret'] },
      nameOf: String,
    });
    const told = JSON.stringify(startWarnings(settings, false));
    expect(told).toContain('"user":"joe"');
    expect(told).not.toContain('secret');
  });

  it('causes no warning with a database of the operator and TLS', () => {
    expect(warnings({ listen: OPEN })).toEqual([]);
  });
});

it.each([['smtp://127.0.0.1:2500?tls=none'], ['smtp://[::1]:2500'], ['smtp+unix:/run/postern'], ['lmtp://0.0.0.0:24']])(
  '%s causes no warning for test users',
  (url) => {
    expect(warnings({ listen: [url], auth: ['memory:joe:x'] })).toEqual([]);
  },
);
