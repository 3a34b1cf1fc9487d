import { describe, expect, it } from 'vitest';
import type { Config } from '../../packages/postern/src/config.ts';
import { firstAddresses, firstMessage, firstReading } from '../../packages/postern/src/first-message.ts';
import type { ListenerSettings } from '../../packages/postern/src/listener-settings.ts';
import { parseListenerUrl } from '../../packages/postern/src/listener-url.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';

const POP3 = { listen: ['smtp://127.0.0.1:0', 'pop3://127.0.0.1:0'], deliver: 'maildir:mail' };
const DEMO_USER = { username: 'demo', password: 'x-_Y' };

describe('the command line for a first message', () => {
  it.each([
    ['smtp://127.0.0.1:0', 'offered', 'curl -sS smtp://127.0.0.1:2500 --user '],
    ['smtp://0.0.0.0:0', 'none', 'curl -sS smtp://127.0.0.1:2500 --user '],
    ['smtp://[::]:0', 'none', 'curl -sS smtp://[::1]:2500 --user '],
    ['smtp://localhost:0', 'required', 'curl -sS smtp://localhost:2500 --ssl-reqd --insecure --user '],
    ['smtps://127.0.0.1:0', 'implicit', 'curl -sS smtps://127.0.0.1:2500 --insecure --user '],
  ] as const)('to %s with TLS %s is one line for a shell', (url, tls, expected) => {
    const addresses = { from: 'demo@example.com', to: "o'neil@example.com" };
    const text = firstMessage({ ...parseListenerUrl(url), tls }, 2500, DEMO_USER, addresses);
    expect(text).toContain(`| ${expected}'demo:x-_Y' --mail-from`);
    expect(text).toContain(` --mail-from demo@example.com --mail-rcpt 'o'\\''neil@example.com' --upload-file -\n`);
    expect(text.split('\n')).toHaveLength(3);
  });
});

describe('the command line for a first login', () => {
  const addresses = { from: '', to: '' };
  it.each([
    ['dovecot-auth+unix:/run/auth', 'smtpd_sasl_type=dovecot smtpd_sasl_path=/run/auth && postfix reload\n'],
    ['dovecot-auth://0.0.0.0:0', ' smtpd_sasl_path=inet:127.0.0.1:2500 && postfix reload\n'],
    ["saslauthd+unix:/run/o'neil/mux", "\ntestsaslauthd -f '/run/o'\\''neil/mux' -u demo -p 'x-_Y'\n"],
    ['http://[::]:0', "\ncurl -sSi --user 'demo:x-_Y' http://[::1]:2500/nginx/request\n"],
    ['https://127.0.0.1:0', "\ncurl -sSi --insecure --user 'demo:x-_Y' https://127.0.0.1:2500/nginx/request\n"],
    ['http+unix:/run/http', "--user 'demo:x-_Y' --unix-socket /run/http http://localhost/nginx/request\n"],
  ])('at %s', (url, expected) => {
    const text = firstMessage(parseListener(url), 2500, DEMO_USER, addresses);
    expect(text).toMatch(/^The user demo has the password x-_Y\. To log in/);
    expect(text).toContain(expected);
    expect(text.split('\n')).toHaveLength(3);
  });

  it.each(['policy+unix:/run/policy', 'http://127.0.0.1:0?secret=env:PATH'])('does not exist at %s', (url) => {
    const text = firstMessage(parseListener(url), 2500, DEMO_USER, addresses);
    expect(text).toBe('The user demo has the password x-_Y.\n');
  });

  function parseListener(url: string): ListenerSettings {
    return { ...parseListenerUrl(url), tls: url.startsWith('https') ? 'implicit' : 'none' };
  }
});

describe('the addresses of the first message are accepted with the options', () => {
  it.each<[options: Config, from: string, to: string]>([
    [{}, 'demo@example.com', 'ann@example.com'],
    [{ recipients: 'bob@example.org' }, 'demo@example.com', 'bob@example.org'],
    [{ recipients: '@example.org' }, 'demo@example.com', 'ann@example.org'],
    [{ recipients: 'bob,eve', domains: 'example.org,example.net' }, 'demo@example.com', 'bob@example.org'],
    [{ recipients: 'bob', domains: '*' }, 'demo@example.com', 'bob@example.com'],
    [{ recipients: 'bob', hostname: 'mail.example.org' }, 'demo@example.com', 'bob@mail.example.org'],
    [{ recipients: 'bob', hostname: 'box' }, 'demo@example.com', 'postmaster'],
    [{ recipients: 'bob', hostname: 'localhost' }, 'demo@example.com', 'bob@localhost'],
    [{ domains: 'example.org' }, 'demo@example.com', 'ann@example.org'],
    [{ recipients: 'file:users', domains: 'example.org' }, 'demo@example.com', 'postmaster@example.org'],
    [{ recipients: () => false, hostname: 'mail.example.org' }, 'demo@example.com', 'postmaster@mail.example.org'],
    [{ aliases: { sales: 'bob' }, hostname: 'mail.example.org' }, 'demo@example.com', 'postmaster@mail.example.org'],
    [{ ownSenders: 'users', domains: 'example.org' }, 'demo@example.org', 'ann@example.org'],
    [{ ownSenders: 'users', hostname: 'mail.example.org' }, 'demo@mail.example.org', 'ann@example.com'],
    [{ ownSenders: 'users', hostname: 'box' }, '', 'ann@example.com'],
    [{ ownSenders: { joe: 'joe@example.org' } }, '', 'ann@example.com'],
    [{ ...POP3, recipients: 'bob@example.org' }, 'demo@example.com', 'bob@example.org'],
    [{ ...POP3, hostname: 'box' }, 'demo@example.com', 'ann@example.com'],
  ])('%j', (config, from, to) => {
    const settings = settingsOf({ config, nameOf: (key) => key });
    expect(firstAddresses(settings, DEMO_USER)).toEqual({ from, to });
  });

  it.each<[options: Config, to: string]>([
    [{ ...POP3, domains: 'example.org' }, 'demo@example.org'],
    [{ ...POP3, hostname: 'mail.example.org' }, 'demo@mail.example.org'],
  ])('with a POP3 listener, and are those that the demo user reads: %j', (config, to) => {
    const settings = settingsOf({ config, nameOf: (key) => key });
    expect(firstAddresses(settings, DEMO_USER)).toEqual({ from: 'demo@example.com', to, isOwn: true });
    expect(firstReading(settings, [2500, 1100], DEMO_USER)).toBe(
      "To read it over POP3:\ncurl -sS pop3://127.0.0.1:1100/1 --user 'demo:x-_Y'\n",
    );
  });
});
