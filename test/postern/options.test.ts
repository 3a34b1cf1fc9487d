import { describe, expect, it } from 'vitest';
import { UsageError } from '../../packages/postern/src/errors.ts';
import { parseOptions } from '../../packages/postern/src/options.ts';

describe('the options of the command line', () => {
  it('are all optional', () => {
    expect(parseOptions([])).toEqual({ config: {}, configFile: undefined, demo: false });
  });

  it('become a configuration', () => {
    const argv = [
      ['--listen', 'smtp://127.0.0.1:0', '--listen=smtps://127.0.0.1:0'],
      [
        '--auth',
        'memory:joe:secret',
        '--auth',
        'anonymous',
        '--deliver',
        'discard',
        '--notify',
        'smtp:127.0.0.1:25',
        '--hostname',
        'mail.example.com',
      ],
      [
        '--tls-cert',
        'cert.pem',
        '--tls-key',
        'key.pem',
        '--tls-client-ca',
        'ca.pem',
        '--config',
        'my.config.ts',
        '--log',
        'json',
        '--lenient',
      ],
    ].flat();
    expect(parseOptions(argv)).toEqual({
      config: {
        listen: ['smtp://127.0.0.1:0', 'smtps://127.0.0.1:0'],
        auth: ['memory:joe:secret', 'anonymous'],
        deliver: 'discard',
        notify: 'smtp:127.0.0.1:25',
        hostname: 'mail.example.com',
        tls: { cert: 'cert.pem', key: 'key.pem', clientCa: 'ca.pem' },
        log: 'json',
        lenient: true,
      },
      configFile: 'my.config.ts',
      demo: false,
    });
  });

  it.each([
    [['--port', '25'], "'--port'", '--help'],
    [['--listen'], '--listen', '--help'],
    [['--deliver', '--auth', 'anonymous'], '--deliver', '--help'],
    [['--log', 'loud'], '--log', 'pretty or json or silent'],
    [['--deliver', 'console', '--deliver', 'discard'], '--deliver', 'once'],
    [['--tls-cert', 'x'], '--tls-cert', '--tls-key'],
    [['--tls-key', 'x'], '--tls-key', '--tls-cert'],
    [['--tls-client-ca', 'x'], '--tls-client-ca', '--tls-cert'],
    [['--tls-passphrase-file', 'x'], '--tls-passphrase-file', '--tls-cert'],
    [['--lenient=yes'], '--lenient', '--help'],
    [['smtp://127.0.0.1:25'], 'smtp://127.0.0.1:25', '--listen'],
    [['-x'], "'-x'", '--help'],
  ])('%j is refused with the name of the option and the expected form', (argv, name, expected) => {
    const error = errorOf(() => parseOptions(argv));
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toContain(name);
    expect(error.message).toContain('expected');
    expect(error.message).toContain(expected);
    expect(error.message).not.toContain('\n');
  });
});

function errorOf(work: () => unknown): Error {
  try {
    work();
  } catch (error) {
    return error as Error;
  }
  throw new Error('nothing was thrown');
}
