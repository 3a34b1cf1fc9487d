import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AnonymousChecker } from '@postern/cred';
import { DiscardDelivery, defineConfig } from 'postern';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { findConfigFile, loadConfig } from '../../packages/postern/src/config-file.ts';
import { checkConfig } from '../../packages/postern/src/config-schema.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'postern-config-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe('the config file', () => {
  it('is the named file, else a default name in the folder, else undefined', () => {
    expect(findConfigFile(undefined, folder)).toBeUndefined();
    for (const end of ['mjs', 'js', 'mts', 'ts']) {
      writeFileSync(join(folder, `postern.config.${end}`), '');
      expect(findConfigFile(undefined, folder)).toBe(join(folder, `postern.config.${end}`));
    }
    writeFileSync(join(folder, 'other.ts'), '');
    expect(findConfigFile('other.ts', folder)).toBe(join(folder, 'other.ts'));
    expect(() => findConfigFile('missing.ts', folder)).toThrow('--config missing.ts: expected a file that exists');
  });

  it('is a module with a default export', async () => {
    const path = join(folder, 'a.config.js');
    writeFileSync(path, `export default { listen: ['smtp://127.0.0.1:0'], log: 'json' };`);
    expect(await loadConfig(path)).toEqual({ listen: ['smtp://127.0.0.1:0'], log: 'json' });
  });

  it('is named in the error if it does not load', async () => {
    const path = join(folder, 'b.config.js');
    writeFileSync(path, `throw new Error('not today');`);
    await expect(loadConfig(path)).rejects.toThrow(`${path}: expected a module that loads: not today`);
  });

  it.each([
    [{ limits: { messagesize: 1 } }, 'limits.messagesize: ', 'maxMessageSize'],
    [{ throttle: { trused: true } }, 'throttle.trused: ', 'trusted'],
    [{ sasl: { channelbinding: 'off' } }, 'sasl.channelbinding: ', 'channelBinding'],
    [{ sasl: { scram: { iteratons: 4096 } } }, 'sasl.scram.iteratons: ', 'iterations'],
    [{ tls: { certs: 'x', key: 'x' } }, 'tls.certs: ', 'cert'],
  ])('gets a suggestion for the unknown name in %j', (value, where, meant) => {
    expect(() => checkConfig(value, 'my.config.ts')).toThrow(`my.config.ts: ${where}`);
    expect(() => checkConfig(value, 'my.config.ts')).toThrow(`; did you mean "${meant}"?`);
  });

  it('is named in an error of a function that it calls', async () => {
    const path = join(import.meta.dirname, 'c.config.ts');
    writeFileSync(path, `import { maildir } from 'postern'; export default { deliver: maildir({}) };`);
    try {
      await expect(loadConfig(path)).rejects.toThrow(`${path}: maildir: expected a folder`);
    } finally {
      rmSync(path);
    }
  });

  it('may hold checkers and deliveries of its own', () => {
    const config = defineConfig({ auth: [new AnonymousChecker(), 'memory:a:b'], deliver: new DiscardDelivery() });
    expect(checkConfig(config, 'x')).toEqual(config);
  });

  it('sets the mechanisms and their options', () => {
    const config = defineConfig({ sasl: { mechanisms: ['PLAIN'], scram: { channelBindings: ['tls-unique'] } } });
    expect(checkConfig(config, 'x')).toEqual(config);
  });

  it('sets the options of TLS', () => {
    const named = [{ cert: 'x', key: 'x', passphraseFile: 'x', names: ['mail.example.com'] }];
    const pair = { cert: 'x', key: 'x', passphrase: 'x', named };
    const tls = { ...pair, clientCa: 'x', minVersion: 'TLSv1.3', ciphers: 'HIGH' } as const;
    expect(checkConfig(defineConfig({ tls }), 'x')).toEqual({ tls });
  });

  it.each([
    { tls: { cert: 'a', key: 'a', passphrase: ['hunter2'] } },
    { tls: { cert: 'a', key: 'a', pasphrase: 'hunter2' } },
    { auth: 'memory:joe:hunter2' },
    { auth: ['memory:joe:hunter2', { password: 'hunter2' }] },
    { sasl: { scram: { key: 'hunter2' } } },
    { deliver: { to: 'smtp:joe:hunter2@example.com' } },
  ])('causes errors without its values: %j', (value) => {
    const message = () => checkConfig(value, 'my.config.ts');
    expect(message).toThrow('my.config.ts: ');
    expect(message).not.toThrow('hunter2');
  });

  it.each([
    [undefined, 'export default defineConfig'],
    ['smtp', 'export default defineConfig'],
    [{ lisen: [] }, 'lisen: unknown property; expected listen, auth, '],
    [{ listen: 'smtp://127.0.0.1:25' }, 'listen: expected a list of URLs'],
    [{ listen: [] }, 'listen: expected a list of URLs'],
    [{ auth: [{}] }, 'auth[0]: expected a spec, a checker'],
    [{ auth: 'memory:joe:secret' }, 'auth: expected a list of specs, checkers and user stores'],
    [
      { deliver: {} },
      'deliver: expected a spec, relay({…}), maildir({…}), a function, or an object of a class that extends MessageDelivery',
    ],
    [
      { notify: 25 },
      'notify: expected a spec, relay({…}), maildir({…}), a function, or an object of a class that extends MessageDelivery',
    ],
    [{ hostname: 5 }, 'hostname: expected a string'],
    [{ tls: { cert: 'x' } }, 'tls.key: missing; expected the path of a PEM file'],
    [{ tls: { cert: 'x', key: 'x', clientCa: 5 } }, 'tls.clientCa: expected the path of a PEM file'],
    [{ tls: { cert: 'x', key: 'x', minVersion: 'TLSv1.1' } }, 'tls.minVersion: expected TLSv1.2 or TLSv1.3'],
    [{ tls: { cert: 'x', key: 'x', passphrase: 5 } }, 'tls.passphrase: expected the passphrase as a string'],
    [{ tls: { cert: 'x', key: 'x', named: [{ cert: 'x' }] } }, 'tls.named[0].key: missing; expected the path'],
    [
      { tls: { cert: 'x', key: 'x', named: [{ cert: 'x', key: 'x', name: 'x' }] } },
      'tls.named[0].name: unknown property',
    ],
    [{ tls: { cert: 'x', key: 'x', cipher: 'HIGH' } }, 'tls.cipher: unknown property; expected cert, key, '],
    [
      { sasl: { mechanism: ['PLAIN'] } },
      'sasl.mechanism: unknown property; expected mechanisms, channelBinding, login, ',
    ],
    [{ sasl: { mechanisms: 'PLAIN' } }, 'sasl.mechanisms: expected a list of strings'],
    [{ sasl: { scram: 4096 } }, 'sasl.scram: expected an object with channelBindings, '],
    [{ sasl: { scram: { iteratons: 4096 } } }, 'sasl.scram.iteratons: unknown property; expected '],
    [{ sasl: { scram: { key: 'x'.repeat(32) } } }, 'sasl.scram.key: expected a Uint8Array'],
    [{ sasl: { channelBinding: 'on' } }, 'sasl.channelBinding: expected off or offered or required'],
    [{ allowCleartext: '10.0.0.0/8' }, 'allowCleartext: expected a list of addresses and networks'],
    [
      { sasl: { scram: { channelBindings: ['tls-unik'] } } },
      'sasl.scram.channelBindings[0]: expected tls-exporter or ',
    ],
    [{ sasl: { toString: {} } }, 'sasl.toString: unknown property'],
    [{ limits: { maxMessageSize: '25' } }, 'limits.maxMessageSize: expected a number'],
    [{ limits: { mesageSize: 1 } }, 'limits.mesageSize: unknown property; expected '],
    [{ limits: { toString: 1 } }, 'limits.toString: unknown property'],
    [{ throttle: true }, 'throttle: expected false, or an object with limits'],
    [{ throttle: { users: {} } }, 'throttle.users: unknown property; expected userAndNetwork, '],
    [
      { disabledExtensions: 'DSN' },
      'disabledExtensions: expected a list of BINARYMIME, CHUNKING, DSN, LIMITS, REQUIRETLS, SMTPUTF8',
    ],
    [{ lenient: 'yes' }, 'lenient: expected true or false'],
    [{ disabledExtensions: ['AUTH'] }, 'disabledExtensions[0]: expected BINARYMIME or '],
    [{ log: 'loud' }, 'log: expected pretty or json or silent'],
    [{ __proto__: null, toString: 1 }, 'toString: unknown property'],
  ])('is refused if it exports %j', (value, expected) => {
    expect(() => checkConfig(value, 'my.config.ts')).toThrow(`my.config.ts: `);
    expect(() => checkConfig(value, 'my.config.ts')).toThrow(expected);
  });
});
