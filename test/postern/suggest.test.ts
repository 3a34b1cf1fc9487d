import { describe, expect, it } from 'vitest';
import { parseListenerUrl } from '../../packages/postern/src/listener-url.ts';
import { parseOptions } from '../../packages/postern/src/options.ts';
import { settingsOf } from '../../packages/postern/src/settings.ts';
import { suggestion } from '../../packages/postern/src/suggest.ts';

describe('a suggestion', () => {
  it.each([
    ['lisen', 'listen'],
    ['LISTEN', 'listen'],
    ['tls-crt', 'tls-cert'],
    ['SCRAM-SHA256', 'SCRAM-SHA-256'],
  ])('exists for %j: %j', (given, meant) => {
    expect(suggestion(given, ['listen', 'tls-cert', 'tls-key', 'SCRAM-SHA-256', 'SCRAM-SHA-512'])).toBe(
      `; did you mean ${JSON.stringify(meant)}?`,
    );
  });

  it.each(['', 'x', 'something else', 'l'.repeat(1000)])('does not exist for %j', (given) => {
    expect(suggestion(given, ['listen', 'auth'])).toBe('');
  });
});

describe('a misspelt word', () => {
  const settings = (argv: string[]) => () =>
    settingsOf({ config: parseOptions(argv).config, nameOf: (key) => `--${key}` });

  it.each([
    ['an option', () => parseOptions(['--lisen', 'smtp://127.0.0.1:0']), '"--listen"'],
    ['a mechanism', settings(['--mechanisms', 'scram-sha256,plain']), '"SCRAM-SHA-256"'],
    ['a place', settings(['--deliver', 'mailidr:mail']), '"maildir"'],
    ['a user database', settings(['--auth', 'memroy:joe:secret']), '"memory"'],
    ['a parameter of a listener', () => parseListenerUrl('smtp://127.0.0.1:0?servce=mx'), '"service"'],
  ])('in %s gets the right word as a suggestion', (_what, attempt, meant) => {
    expect(attempt).toThrow(`did you mean ${meant}?`);
  });

  it('never shows a password', () => {
    expect(settings(['--auth', 'memroy:joe:secret'])).not.toThrow('secret');
  });
});
