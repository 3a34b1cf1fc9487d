import { describe, expect, it } from 'vitest';
import type { Config } from '../../packages/postern/src/config.ts';
import { firstAddresses } from '../../packages/postern/src/first-addresses.ts';
import { firstMessage } from '../../packages/postern/src/first-message.ts';
import { parseListenerUrl } from '../../packages/postern/src/listener-url.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';

describe('the command line for a first message', () => {
  it.each([
    ['smtp://127.0.0.1:0', 'offered', 'curl -sS smtp://127.0.0.1:2500 --user '],
    ['smtp://0.0.0.0:0', 'none', 'curl -sS smtp://127.0.0.1:2500 --user '],
    ['smtp://[::]:0', 'none', 'curl -sS smtp://[::1]:2500 --user '],
    ['smtp://localhost:0', 'required', 'curl -sS smtp://localhost:2500 --ssl-reqd --insecure --user '],
    ['smtps://127.0.0.1:0', 'implicit', 'curl -sS smtps://127.0.0.1:2500 --insecure --user '],
  ] as const)('to %s with TLS %s is one line for a shell', (url, tls, expected) => {
    const addresses = { from: 'guest@example.com', to: "o'neil@example.com" };
    const text = firstMessage({ ...parseListenerUrl(url), tls }, 2500, GUEST, addresses);
    expect(text).toContain(`| ${expected}'guest:x-_Y' --mail-from`);
    expect(text).toContain(` --mail-from guest@example.com --mail-rcpt 'o'\\''neil@example.com' --upload-file -\n`);
    expect(text.split('\n')).toHaveLength(3);
  });
});

describe('the addresses of the first message are accepted with the options', () => {
  it.each<[options: Config, from: string, to: string]>([
    [{}, 'guest@example.com', 'ann@example.com'],
    [{ recipients: 'bob@example.org' }, 'guest@example.com', 'bob@example.org'],
    [{ recipients: '@example.org' }, 'guest@example.com', 'ann@example.org'],
    [{ recipients: 'bob,eve', domains: 'example.org,example.net' }, 'guest@example.com', 'bob@example.org'],
    [{ recipients: 'bob', domains: '*' }, 'guest@example.com', 'bob@example.com'],
    [{ recipients: 'bob', hostname: 'mail.example.org' }, 'guest@example.com', 'bob@mail.example.org'],
    [{ recipients: 'bob', hostname: 'box' }, 'guest@example.com', 'postmaster'],
    [{ recipients: 'bob', hostname: 'localhost' }, 'guest@example.com', 'bob@localhost'],
    [{ domains: 'example.org' }, 'guest@example.com', 'ann@example.org'],
    [{ recipients: 'file:users', domains: 'example.org' }, 'guest@example.com', 'postmaster@example.org'],
    [{ recipients: () => false, hostname: 'mail.example.org' }, 'guest@example.com', 'postmaster@mail.example.org'],
    [{ aliases: { sales: 'bob' }, hostname: 'mail.example.org' }, 'guest@example.com', 'postmaster@mail.example.org'],
    [{ ownSenders: 'users', domains: 'example.org' }, 'guest@example.org', 'ann@example.org'],
    [{ ownSenders: 'users', hostname: 'mail.example.org' }, 'guest@mail.example.org', 'ann@example.com'],
    [{ ownSenders: 'users', hostname: 'box' }, '', 'ann@example.com'],
    [{ ownSenders: { joe: 'joe@example.org' } }, '', 'ann@example.com'],
  ])('%j', (config, from, to) => {
    const settings = settingsOf({ config, nameOf: (key) => key });
    expect(firstAddresses(settings, GUEST)).toEqual({ from, to });
  });
});

const GUEST = { username: 'guest', password: 'x-_Y' };
