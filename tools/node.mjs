// node tools/node.mjs <tool or file.js> [arguments]
//
// Runs one of the project's tools, or a script, under a Node that is new enough: the running one,
// or else the one that npm installed as an optional dependency. Written for Node 20.
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, dirname, join } from 'node:path';

const floor = [22, 18];
const root = join(import.meta.dirname, '..');
const readJson = (file) => JSON.parse(readFileSync(file, 'utf8'));
const workspace = readJson(join(root, 'package.json'));

const [what, ...args] = process.argv.slice(2);
if (what === undefined) fail('usage: node tools/node.mjs <tool or file.js> [arguments]');

const node = newEnough(process.versions.node) ? process.execPath : installedNode();
if (node === undefined) {
  fail(
    `Postern needs Node >= ${floor.join('.')}; this is ${process.versions.node}, and none is installed for ` +
      `${process.platform}-${process.arch}. Run \`npm ci\` (with optional dependencies), or install a newer Node.`,
  );
}

const child = spawn(node, [/\.m?[jt]s$/.test(what) ? what : toolFile(what), ...args], {
  stdio: 'inherit',
  // First on PATH, so that a tool that starts `node` gets this one too.
  env: { ...process.env, PATH: dirname(node) + delimiter + (process.env.PATH ?? '') },
});
// A terminal sends Ctrl-C to both processes, and a supervisor only to this one. The child decides
// when to end in both cases.
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) process.on(signal, () => child.kill(signal));
// npm passes SIGTERM to its shell only. When the shell has ended, this process has another parent.
if (process.env.npm_lifecycle_event !== undefined) {
  const parent = process.ppid;
  setInterval(() => process.ppid === parent || child.kill('SIGTERM'), 500).unref();
}
child.on('error', (error) => fail(`${node} does not start: ${error.message}`));
child.on('exit', (code, signal) => {
  const isBuild = what === 'tsc' && args[0] === '-b';
  process.exit(code === 0 && isBuild ? bundleCommand() : (code ?? 128 + constants.signals[signal]));
});

/** Bundles the command after a build, since the command must run what the compiler has checked. */
function bundleCommand() {
  return spawnSync(node, [join(root, 'tools/bundle.mjs')], { stdio: 'inherit' }).status ?? 1;
}

/**
 * Returns the platform package's binary. npm 10 leaves out the link in node_modules/.bin that two
 * packages share.
 */
function installedNode() {
  for (const name of Object.keys(workspace.optionalDependencies)) {
    const dir = join(root, 'node_modules', name);
    if (!existsSync(join(dir, 'package.json'))) continue;
    const { bin, cpu, os, version } = readJson(join(dir, 'package.json'));
    const fits = [os].flat().includes(process.platform) && [cpu].flat().includes(process.arch);
    if (fits && newEnough(version)) return join(dir, bin.node);
  }
  return undefined;
}

/**
 * Returns the script behind a tool's name, from its package.json. The links in .bin may be shell
 * scripts that choose a Node themselves.
 */
function toolFile(name) {
  for (const dependency of Object.keys(workspace.devDependencies)) {
    const file = join(root, 'node_modules', dependency, 'package.json');
    if (!existsSync(file)) continue;
    const { bin } = readJson(file);
    const bins = typeof bin === 'string' ? { [dependency.replace(/^@.*\//, '')]: bin } : (bin ?? {});
    if (bins[name] !== undefined) return join(dirname(file), bins[name]);
  }
  return fail(`no tool is named ${name}; run \`npm ci\` first`);
}

function newEnough(version) {
  const [major, minor] = version.split('.').map(Number);
  return major > floor[0] || (major === floor[0] && minor >= floor[1]);
}

function fail(message) {
  console.error(message);
  process.exit(2);
}
