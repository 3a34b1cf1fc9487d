// Preloaded into a server. It kills the server at the call of `node:fs` with the number KILL_AT,
// from 1, among the calls that concern KILL_FOLDER or a file opened there. A call that writes has
// written half of its octets then. At an exit it writes the names of the calls into KILL_REPORT.
import fs, { type Mode, type PathLike } from 'node:fs';
import type { FileHandle } from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { env, kill, pid } from 'node:process';

type AnyFunction = (...args: unknown[]) => unknown;

const folder = env['KILL_FOLDER'] ?? '';
const deadly = Number(env['KILL_AT'] ?? Number.POSITIVE_INFINITY);
const calls: string[] = [];
/** The descriptors of files in the folder that a synchronous call has opened. */
const descriptors = new Set<unknown>();

/** Counts a call. `beforeDeath` runs before the kill. */
function count(name: string, beforeDeath: () => void = () => {}): void {
  calls.push(name);
  if (calls.length !== deadly) return;
  beforeDeath();
  kill(pid, 'SIGKILL');
}

function concerns(path: unknown): boolean {
  return (typeof path === 'string' || Buffer.isBuffer(path) || path instanceof URL) && String(path).includes(folder);
}

/** Replaces a function by one that calls `around` with the arguments and the original. */
function replace(owner: object, name: string, around: (args: unknown[], original: () => unknown) => unknown): void {
  const functions = owner as Record<string, AnyFunction>;
  const original = functions[name];
  if (typeof original !== 'function') return;
  const replacement = function (this: unknown, ...args: unknown[]): unknown {
    return around(args, () => original.apply(this, args));
  };
  // `promisify` reads a property of `fs.read` and `fs.write`.
  functions[name] = Object.defineProperties(replacement, Object.getOwnPropertyDescriptors(original));
}

/** Counts the calls of a function whose first or second argument is a path in the folder. */
function watch(owner: object, name: string): void {
  replace(owner, name, (args, call) => {
    if (concerns(args[0]) || concerns(args[1])) count(name);
    return call();
  });
}

const PATH_FUNCTIONS = ['copyFile', 'link', 'mkdir', 'open', 'opendir', 'readFile', 'readdir', 'rename', 'rm', 'stat'];
const MORE_PATH_FUNCTIONS = ['lstat', 'symlink', 'readlink', 'lutimes', 'truncate', 'unlink', 'utimes', 'writeFile'];
const RIGHT_FUNCTIONS = ['access', 'chmod'];
for (const name of [...PATH_FUNCTIONS, ...MORE_PATH_FUNCTIONS, ...RIGHT_FUNCTIONS]) {
  if (name !== 'open') watch(fs.promises, name);
  watch(fs, name);
  if (name !== 'open' && name !== 'opendir') watch(fs, `${name}Sync`);
}

replace(fs, 'openSync', (args, call) => {
  if (!concerns(args[0])) return call();
  count('openSync');
  const descriptor = call();
  descriptors.add(descriptor);
  return descriptor;
});

replace(fs, 'opendirSync', (args, call) => {
  if (!concerns(args[0])) return call();
  count('opendirSync');
  const opened = call() as object;
  for (const name of ['read', 'readSync', 'close', 'closeSync']) {
    replace(opened, name, (_args, callFolder) => {
      count(`dir.${name}`);
      return callFolder();
    });
  }
  return opened;
});

/** Counts the calls of a function whose first argument is a descriptor from `openSync`. */
function watchDescriptor(name: string, beforeDeath: (descriptor: number, args: unknown[]) => void = () => {}): void {
  replace(fs, name, ([descriptor, ...args], call) => {
    if (!descriptors.has(descriptor)) return call();
    count(name, () => beforeDeath(descriptor as number, args));
    if (name.startsWith('close')) descriptors.delete(descriptor);
    return call();
  });
}

for (const name of ['close', 'read', 'fstat', 'fsync', 'fdatasync', 'ftruncate', 'fchmod', 'fchown', 'futimes']) {
  watchDescriptor(name);
  watchDescriptor(`${name}Sync`);
}
const { writeSync } = fs;
for (const name of ['write', 'writeSync', 'writev', 'writevSync']) watchDescriptor(name, writeHalf);

const { open } = fs.promises;
fs.promises.open = async function watchedOpen(path: PathLike, flags?: string | number, mode?: Mode) {
  if (!concerns(path)) return await open(path, flags, mode);
  count('open');
  return watchHandle(await open(path, flags, mode));
};

function watchHandle(handle: FileHandle): FileHandle {
  const functions = handle as unknown as Record<string, AnyFunction>;
  for (const name of ['sync', 'datasync', 'truncate', 'close', 'read', 'stat']) {
    const original = functions[name] as AnyFunction;
    functions[name] = (...args: unknown[]) => {
      count(name);
      return original.apply(handle, args);
    };
  }
  for (const name of ['write', 'writev', 'writeFile', 'appendFile']) {
    const original = functions[name] as AnyFunction;
    functions[name] = (...args: unknown[]) => {
      count(name, () => writeHalf(handle.fd, args));
      return original.apply(handle, args);
    };
  }
  return handle;
}

/** Writes the first half of what a call is about to write. */
function writeHalf(descriptor: number, [data, offset, length]: readonly unknown[]): void {
  const pieces = Array.isArray(data) ? (data as Uint8Array[]) : [Buffer.from(data as Uint8Array)];
  const whole = Buffer.concat(pieces);
  const from = typeof offset === 'number' && !Array.isArray(data) ? offset : 0;
  const octets = typeof length === 'number' && !Array.isArray(data) ? length : whole.length - from;
  writeSync(descriptor, whole, from, Math.floor(octets / 2));
}

syncBuiltinESMExports();
process.on('exit', () => {
  const report = env['KILL_REPORT'];
  if (report !== undefined) fs.writeFileSync(report, calls.join('\n'));
});
