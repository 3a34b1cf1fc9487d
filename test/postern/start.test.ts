import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { LineClient } from '../support/line-client.ts';
import { BIN, runPostern, startPostern } from '../support/postern.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const RECORD = new URL('../support/record-modules.mjs', import.meta.url).href;
const SERVE = words`serve --listen smtp://127.0.0.1:0 --auth memory:joe:s3cret --deliver discard`;

/** The modules that only some options need. */
const LAZY =
  /(?:maildir|relay|pop3|imap|managesieve|dovecot-auth|http)\/src|users\/src|\/client\/|^src\/(?:run-|user\/|access\/(?!access-protocol)|certificates|workers|help|json-log|config-schema|terminal)(?!serve)|node_modules\/(?!fastest)|node:(?:readline|sqlite|child_process)/;

/**
 * Runs the command, a server until it listens. Resolves to the URLs of the modules that the command
 * has loaded.
 */
async function filesOf(...args: readonly string[]): Promise<readonly string[]> {
  using folder = temporaryFolder('modules');
  const list = join(folder.path, 'modules');
  const env = { ...process.env, MODULES: list };
  const child = spawn(process.execPath, ['--import', RECORD, BIN, ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  child.stderr.resume();
  child.stdout.setEncoding('utf8').on('data', (text: string) => text.startsWith('listening ') && child.kill('SIGTERM'));
  expect(await once(child, 'close')).toEqual([0, null]);
  return readFileSync(list, 'utf8').split('\n');
}

/** Resolves to the sources in the files of the bundle, and to the URLs of all other modules. */
async function modulesOf(...args: readonly string[]): Promise<readonly string[]> {
  return sourcesAmong(await filesOf(...args));
}

/** Returns the sources in the files of the bundle, and the URLs of all other modules. */
function sourcesAmong(urls: readonly string[]): readonly string[] {
  return urls.flatMap((url) => (url.includes('/postern/bundle/') ? sourcesOf(fileURLToPath(url)) : [url]));
}

/** esbuild writes the path of each source file above its code. */
function sourcesOf(file: string): readonly string[] {
  return Array.from(readFileSync(file, 'utf8').matchAll(/^\/\/ (\S+\.[jt]s)$/gm), ([, path = '']) => path);
}

describe('a start of the command', () => {
  let server: Promise<readonly string[]>;
  beforeAll(async () => {
    server = filesOf(...SERVE);
    await server;
  });

  it.each([
    [['--version'], []],
    [['help', 'user'], [/option-table|suggest|help|user-commands|levenshtein/]],
    [['--help'], [/option-table|suggest|help|user-commands|levenshtein/]],
  ])('%j loads no other package', async (args, own) => {
    const sources = (await modulesOf(...args)).filter((path) => !/^(?:file|node):/.test(path));
    const known = [/^src\/(?:main|errors|redact-spec|spec-secrets|share-own-packages)\.ts$/, ...own];
    expect(sources).toContain('src/main.ts');
    expect(sources.filter((path) => !known.some((pattern) => pattern.test(path)))).toEqual([]);
  });

  it('as a server loads nothing that its options do not need', async () => {
    const modules = sourcesAmong(await server);
    expect(modules).toEqual(expect.arrayContaining(['src/run-serve.ts', '../esmtp/src/session/session.ts']));
    expect(modules.filter((path) => LAZY.test(path))).toEqual([]);
  });

  it.each<[readonly string[], RegExp]>([
    [words`--log json`, /node_modules\/pino\/pino\.js$/],
    [words`--notify smtp:127.0.0.1:9`, /^\.\.\/relay\/src\/relay\.ts$/],
    [words`--listen dovecot-auth://127.0.0.1:0`, /^\.\.\/dovecot-auth\/src\/dovecot-auth\.ts$/],
    [words`--listen http://127.0.0.1:0`, /^\.\.\/http\/src\/http-auth\.ts$/],
    [words`--listen pop3://127.0.0.1:0 --mailboxes maildir:/tmp`, /^\.\.\/pop3\/src\/pop3\.ts$/],
  ])('as a server loads what %j needs before it listens', async (options, expected) => {
    expect((await modulesOf(...SERVE, ...options)).some((path) => expected.test(path))).toBe(true);
  });

  it('as a server loads few files', async () => {
    // Node takes its time for each file, and for each import of one file by another.
    expect((await server).filter((url) => url.startsWith('file:')).length).toBeLessThan(12);
  });
});

describe('a config file', () => {
  it('shares the classes of all packages with the command, also without node_modules', async () => {
    using folder = temporaryFolder('shared');
    const config = join(folder.path, 'postern.config.mjs');
    writeFileSync(
      config,
      `import { checker, UsernamePassword } from '@postern/cred';
       import { MessageDelivery, Rejection } from '@postern/esmtp';
       import { defineConfig, DiscardDelivery } from 'postern';
       class Refusing extends DiscardDelivery {
         validateTo({ localPart }) {
           if (!(this instanceof MessageDelivery)) throw new Error('two classes');
           if (localPart === 'bob') throw new Rejection(550, '5.1.1', 'No bob here');
         }
       }
       const passwords = checker([UsernamePassword], ({ username }) => username);
       export default defineConfig({ auth: [passwords], deliver: () => new Refusing() });`,
    );
    await using server = await startPostern('--config', config, '--listen', 'smtp://127.0.0.1:0');
    using client = new LineClient(connect(Number(server.urls[0]?.port), '127.0.0.1'));
    expect(await client.hear()).toMatch(/^220 /);
    await client.say('EHLO client.example.com');
    expect(await client.say(`AUTH PLAIN ${Buffer.from('\0joe\0s3cret').toString('base64')}`)).toMatch(/^235 /);
    expect(await client.say('MAIL FROM:<joe@example.com>')).toMatch(/^250 /);
    expect(await client.say('RCPT TO:<bob@example.com>')).toBe('550 5.1.1 No bob here\r\n');
    expect(await client.say('RCPT TO:<ann@example.com>')).toMatch(/^250 /);
  });
});

describe('the bundle', () => {
  it('gives the classes of checkers and credentials their own names', async () => {
    using folder = temporaryFolder('names');
    const config = join(folder.path, 'postern.config.mjs');
    writeFileSync(
      config,
      `import * as cred from '@postern/cred';
       import * as sasl from '@postern/sasl';
       import * as users from '@postern/users';
       for (const [name, value] of Object.entries({ ...cred, ...sasl, ...users })) {
         if (/^[A-Z][a-z]/.test(name) && typeof value === 'function' && value.name !== name) throw new Error(name);
       }
       export default {};`,
    );
    expect(await runPostern(['explain', '--config', config])).toMatchObject({ code: 0 });
  });
});
