import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzipSync } from 'node:zlib';
import { transform } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { LineClient } from '../support/line-client.ts';
import { firstExample, installed } from '../support/readme.ts';
import { type PackedManifest, TestRegistry } from '../support/registry.ts';

const execute = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
const ROOMS = (await readdir(join(ROOT, 'packages'))).toSorted();

/** In milliseconds. npm packs and installs about forty packages, on a machine that may be busy. */
const BUILD_TIMEOUT = 600_000;

let folder = '';
/** A project with the packages of the READMEs' install lines. */
let project = '';
let registry: TestRegistry;
/** The names of the files in each packed package. */
const files = new Map<string, readonly string[]>();

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'postern-packed-'));
  registry = await TestRegistry.start();
  const checkout = await unbuiltCheckout();
  const [own, others] = await Promise.all([
    pack(
      checkout,
      ROOMS.map((room) => `./packages/${room}`),
    ),
    // Packages of other projects come as built; they need no build here.
    pack(ROOT, await dependencies(), '--ignore-scripts'),
  ]);
  for (const { manifest, tarball } of [...own, ...others]) registry.add(manifest, tarball);
  for (const { manifest, paths } of own) files.set(manifest.name, paths);
  project = join(folder, 'project');
  await mkdir(project);
  await writeFile(join(project, 'package.json'), '{ "type": "module", "private": true }');
  const names = new Set((await Promise.all(ROOMS.map(readmeOf))).flatMap(installed));
  await npm(project, 'install', ...names);
}, BUILD_TIMEOUT);

afterAll(async () => {
  await registry[Symbol.asyncDispose]();
  await rm(folder, { recursive: true });
});

describe.each(ROOMS)('the package in packages/%s, packed from a tree without a build,', (room) => {
  it('has code, types, README and licence but no tests', async () => {
    const { name } = await manifestOf(join(ROOT, 'packages', room));
    const paths = files.get(name) ?? [];
    expect(paths).toEqual(
      expect.arrayContaining([
        'LICENSE',
        'README.md',
        'package.json',
        'dist/index.js',
        'dist/index.d.ts',
        'src/index.ts',
      ]),
    );
    expect(paths.filter((path) => /\.test\.|\.test-d\.|tsbuildinfo|tsconfig/.test(path))).toEqual([]);
    const sources = paths.filter((path) => /^src\/.*\.ts$/.test(path)).map((path) => path.slice(4, -3));
    const built = paths.filter((path) => /^dist\/.*\.js$/.test(path)).map((path) => path.slice(5, -3));
    expect(built).toEqual(sources);
  });

  it('runs the example of its README after npm install', async () => {
    const { example = '', output } = firstExample(await readmeOf(room));
    await writeFile(join(project, `${room}.ts`), await runnable(example));
    const { stdout } = await execute(process.execPath, [`${room}.ts`], { cwd: project, timeout: 60_000 });
    if (output !== undefined) expect(stdout).toBe(output);
  });
});

describe('the packed command', () => {
  it('has the bundle with the licences of its parts', () => {
    expect(files.get('postern')).toEqual(expect.arrayContaining(['bundle/main.js', 'bundle/THIRD-PARTY.txt']));
  });

  it('runs', async () => {
    const { stdout } = await npm(project, 'exec', '--', 'postern', 'explain', '--listen', 'smtp://127.0.0.1:0');
    expect(stdout).toMatch(/PLAIN/);
  });

  it('logs users of a config file in, with hashes of worker threads, and takes their messages', async () => {
    // The password is s3cret: htpasswd -nbB -C 4.
    await writeFile(join(project, 'users'), 'joe:$2y$04$GCBklPs/NjmKTvtkQqoCBuM0a.Z9pf.Mx5YuJAqloXuRVNHzu./p.\n');
    await writeFile(
      join(project, 'postern.config.js'),
      `import { checker, UsernamePassword } from '@postern/cred';
       import { defineConfig, maildir } from 'postern';
       const ann = checker([UsernamePassword], ({ username }) => (username === 'ann' ? 'ann' : undefined));
       export default defineConfig({
         listen: ['smtp://127.0.0.1:0'],
         auth: ['file:users', ann],
         deliver: maildir({ folder: 'mail' }),
       });`,
    );
    const child = spawn(process.execPath, [join(project, 'node_modules/postern/bin/postern.js'), 'serve'], {
      cwd: project,
    });
    const ended = once(child, 'close');
    try {
      const [line] = (await once(child.stdout, 'data')) as [Buffer];
      const port = Number(/^listening \S+:(\d+)\n/.exec(String(line))?.[1]);
      for (const name of ['joe', 'ann']) {
        using client = new LineClient(connect(port, '127.0.0.1'));
        await client.hear();
        await client.say('EHLO client.example.com');
        expect(await client.say(`AUTH PLAIN ${btoa(`\0${name}\0s3cret`)}`)).toMatch(/^235 /);
        await client.say(`MAIL FROM:<${name}@example.com>`);
        await client.say('RCPT TO:<bob@example.com>');
        expect(await client.say('DATA')).toMatch(/^354 /);
        expect(await client.say('Subject: hello\r\n\r\nIt works.\r\n.')).toMatch(/^250 /);
      }
    } finally {
      child.kill('SIGTERM');
      await ended;
    }
    expect(await readdir(join(project, 'mail/bob@example.com/new'))).toHaveLength(2);
  });
});

/**
 * Copies this tree as `npm ci` leaves it: without a build, with links between the copied packages.
 */
async function unbuiltCheckout(): Promise<string> {
  const checkout = join(folder, 'checkout');
  const modules = join(checkout, 'node_modules');
  await mkdir(join(modules, '@postern'), { recursive: true });
  for (const path of ['package.json', 'tsconfig.base.json', 'LICENSE', 'tools']) {
    await cp(join(ROOT, path), join(checkout, path), { recursive: true });
  }
  await cp(join(ROOT, 'packages'), join(checkout, 'packages'), {
    recursive: true,
    filter: (path) => !/[\\/](dist|node_modules)$/.test(path),
  });
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (name === '@postern' || name === 'postern') continue;
    await symlink(join(ROOT, 'node_modules', name), join(modules, name));
  }
  for (const room of ROOMS) {
    const { name } = await manifestOf(join(checkout, 'packages', room));
    await symlink(join(checkout, 'packages', room), join(modules, name));
  }
  return checkout;
}

interface Packed {
  readonly manifest: PackedManifest;
  readonly tarball: Buffer;
  readonly paths: readonly string[];
}

/** Packs the packages in these folders with one call of npm. */
async function pack(
  cwd: string,
  folders: readonly string[],
  ...options: readonly string[]
): Promise<readonly Packed[]> {
  const destination = await mkdtemp(join(folder, 'tarballs-'));
  await npm(cwd, 'pack', '--pack-destination', destination, ...options, ...folders);
  const tarballs = await readdir(destination);
  expect(tarballs).toHaveLength(folders.length);
  return Promise.all(
    tarballs.map(async (file) => {
      const tarball = await readFile(join(destination, file));
      const entries = entriesOf(gunzipSync(tarball));
      const manifest = JSON.parse(String(entries.get('package.json'))) as PackedManifest;
      return { manifest, tarball, paths: [...entries.keys()].toSorted() };
    }),
  );
}

/**
 * Returns the files of an npm tar archive (POSIX ustar, IEEE Std 1003.1), without the prefix
 * `package/`.
 */
function entriesOf(tar: Buffer): ReadonlyMap<string, Buffer> {
  const entries = new Map<string, Buffer>();
  for (let at = 0; tar[at] !== 0 && at < tar.length; ) {
    const text = (from: number, length: number) =>
      tar.toString('utf8', at + from, at + from + length).replace(/\0.*$/s, '');
    const size = Number.parseInt(text(124, 12), 8);
    const type = text(156, 1);
    const path = [text(345, 155), text(0, 100)].filter(Boolean).join('/');
    if (type === '0' || type === '') {
      entries.set(path.replace(/^[^/]*\//, ''), tar.subarray(at + 512, at + 512 + size));
    }
    at += 512 + Math.ceil(size / 512) * 512;
  }
  return entries;
}

/**
 * Returns the folders of the packages of other projects that the packages need: peers are
 * development dependencies here.
 */
async function dependencies(): Promise<readonly string[]> {
  const lock = JSON.parse(await readFile(join(ROOT, 'package-lock.json'), 'utf8')) as {
    readonly packages: Readonly<Record<string, LockEntry>>;
  };
  const needed = new Set<string>();
  const add = (path: string): void => {
    const entry = lock.packages[path];
    // npm has left out the optional packages of other platforms.
    if (entry === undefined || needed.has(path) || (entry.optional && !existsSync(join(ROOT, path)))) return;
    if (!entry.link) needed.add(path);
    const { dependencies = {}, optionalDependencies = {}, peerDependencies = {}, peerDependenciesMeta = {} } = entry;
    const peers = Object.keys(peerDependencies).filter((name) => !peerDependenciesMeta[name]?.optional);
    const names = [...Object.keys(dependencies), ...Object.keys(optionalDependencies), ...peers];
    for (const name of names) add(`node_modules/${name}`);
  };
  for (const room of ROOMS) add(`packages/${room}`);
  return [...needed].filter((path) => path.startsWith('node_modules/')).map((path) => `./${path}`);
}

interface LockEntry {
  readonly link?: true;
  readonly optional?: true;
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
  readonly peerDependencies?: Readonly<Record<string, string>>;
  readonly peerDependenciesMeta?: Readonly<Record<string, { readonly optional?: boolean }>>;
}

/** Runs npm without the user's settings and with the test's registry only. */
function npm(cwd: string, ...args: readonly string[]): Promise<{ readonly stdout: string }> {
  const { npm_execpath: script, ...env } = process.env;
  const settings = {
    npm_config_registry: registry.url,
    npm_config_cache: join(folder, 'cache'),
    npm_config_userconfig: join(folder, 'npmrc'),
    npm_config_audit: 'false',
    npm_config_fund: 'false',
    npm_config_update_notifier: 'false',
    npm_config_fetch_retries: '0',
    npm_config_noproxy: '127.0.0.1',
  };
  const ours = Object.entries(env).filter(([name]) => !/^npm_/i.test(name));
  const options = { cwd, env: { ...Object.fromEntries(ours), ...settings } };
  return script === undefined ? execute('npm', args, options) : execute(process.execPath, [script, ...args], options);
}

function readmeOf(room: string): Promise<string> {
  return readFile(join(ROOT, 'packages', room, 'README.md'), 'utf8');
}

async function manifestOf(path: string): Promise<PackedManifest> {
  return JSON.parse(await readFile(join(path, 'package.json'), 'utf8')) as PackedManifest;
}

/**
 * Returns the example in the syntax of this Node. Node 22 lacks `await using`, so a compiler
 * rewrites it.
 */
async function runnable(example: string): Promise<string> {
  if (nodeMajor >= 24) return example;
  const { code } = await transform(example, { loader: 'ts', target: `node${nodeMajor}` });
  return code;
}

const nodeMajor = Number.parseInt(process.versions.node, 10);
