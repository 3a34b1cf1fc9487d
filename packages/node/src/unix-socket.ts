import { randomBytes } from 'node:crypto';
import { constants, linkSync, lstatSync, renameSync, unlinkSync } from 'node:fs';
import { chmod, chown, lchown, open, readdir } from 'node:fs/promises';
import { connect } from 'node:net';
import { basename, dirname, join } from 'node:path';
import { isMainThread } from 'node:worker_threads';
import { groupId } from './group-id.ts';

/** The rights of a UNIX socket's file, and its way into the folder. */
export interface SocketFileOptions {
  readonly mode: number | undefined;
  readonly group: number | string | undefined;
  readonly takeOver: boolean;
}

/**
 * The file of a UNIX socket. The server binds the socket under a temporary name in the same folder.
 * The file gets its path after it has its permissions, in one step, so that no client is refused in
 * between. Node unlinks the name of the bind when the socket closes, and never the path, which may
 * belong to a successor by then.
 */
export class SocketFile {
  /** The name for the bind. */
  readonly temporaryPath: string;
  readonly #path: string;
  readonly #mode: number | undefined;
  readonly #gid: number | undefined;
  readonly #takeOver: boolean;
  /** The file, while it has the path. */
  #published: FileIdentity | undefined;

  private constructor(path: string, gid: number | undefined, { mode, takeOver }: SocketFileOptions) {
    this.temporaryPath = pathBeside(path);
    this.#path = path;
    // With a group, the permissions are set after the group.
    this.#mode = mode ?? (gid === undefined ? undefined : 0o777 & ~process.umask());
    this.#gid = gid;
    this.#takeOver = takeOver;
  }

  /**
   * Returns the file of a path that no server has; with `takeOver`, also of a server that runs.
   *
   * @throws Error with the code EADDRINUSE if another server answers at the path, or if the file is
   * no socket.
   * @throws Error with the code EINVAL if no client could connect to a path of this length.
   * @throws Error if there is no such group.
   */
  static async at(path: string, options: SocketFileOptions): Promise<SocketFile> {
    if (Buffer.byteLength(path) > MAX_PATH_OCTETS) throw systemError('EINVAL', `invalid argument ${path}`);
    const gid = options.group === undefined ? undefined : await groupId(options.group);
    const file = lstat(path);
    if (file !== undefined) {
      if (!file.isSocket) throw inUse(path);
      if (!options.takeOver) {
        if (await answers(path)) throw inUse(path);
        removeFile(path, file);
      }
    }
    await removeStaleSockets(path);
    return new SocketFile(path, gid, options);
  }

  /** Calls `bind`, which binds the socket synchronously, without permissions for other users. */
  bind(bind: () => void): void {
    if (this.#mode === undefined) bind();
    else withUmask(0o777, bind);
  }

  /**
   * Sets the permissions, and gives the file its path. The socket must listen.
   *
   * @throws Error with the code EADDRINUSE if another server has taken the path meanwhile.
   */
  async publish(): Promise<void> {
    if (this.#mode !== undefined) await setPermissions(this.temporaryPath, this.#gid, this.#mode);
    const file = lstat(this.temporaryPath);
    if (this.#takeOver) renameSync(this.temporaryPath, this.#path);
    else {
      link(this.temporaryPath, this.#path);
      unlinkSync(this.temporaryPath);
    }
    this.#published = file;
  }

  /**
   * Removes the file, unless a successor has the path. The socket must be open: a closed socket's
   * inode could be the successor's.
   */
  remove(): void {
    const file = this.#published;
    this.#published = undefined;
    if (file !== undefined) removeFile(this.#path, file);
  }
}

/** Returns false for a name without a file: one in the abstract namespace, or a pipe of Windows. */
export function hasFile(path: string): boolean {
  return process.platform !== 'win32' && !path.startsWith('\0');
}

/**
 * Sets the group and the permissions of a socket, and never those of a file that has taken its
 * place. Another user with rights in the folder could put a symbolic link there. A server of root
 * would then open the file behind the link to all.
 *
 * @throws Error with the code ELOOP if the path has another file.
 */
async function setPermissions(path: string, gid: number | undefined, mode: number): Promise<void> {
  await using file = process.platform === 'linux' ? await open(path, O_PATH | constants.O_NOFOLLOW) : undefined;
  if (file !== undefined && !(await file.stat()).isSocket()) {
    throw systemError('ELOOP', `another file has the place of the socket ${path}`);
  }
  // fchmod(2) takes no such descriptor; proc(5) has the file itself.
  const target = file === undefined ? path : `/proc/self/fd/${file.fd}`;
  // First the group: before, the permissions would be those of another group.
  if (gid !== undefined) await (file === undefined ? lchown : chown)(target, -1, gid);
  await chmod(target, mode);
}

interface FileIdentity {
  readonly dev: bigint;
  readonly ino: bigint;
}

interface FileInfo extends FileIdentity {
  readonly isSocket: boolean;
  /** The time of the bind, in milliseconds since 1970. */
  readonly bound: number;
}

function lstat(path: string): FileInfo | undefined {
  const file = lstatSync(path, { bigint: true, throwIfNoEntry: false });
  return file && { dev: file.dev, ino: file.ino, isSocket: file.isSocket(), bound: Number(file.mtimeMs) };
}

function isSame(file: FileIdentity, path: string): boolean {
  const found = lstat(path);
  return found !== undefined && found.dev === file.dev && found.ino === file.ino;
}

/** Removes the file from the path, and never another file that has taken the path meanwhile. */
function removeFile(path: string, file: FileIdentity): void {
  if (!isSame(file, path)) return;
  const aside = pathBeside(path);
  try {
    // No system call unlinks a file on a condition: so rename, look, and unlink.
    renameSync(path, aside);
    if (!isSame(file, aside)) linkSync(aside, path);
    unlinkSync(aside);
  } catch (error) {
    if (codeOf(error) !== 'ENOENT' && codeOf(error) !== 'EEXIST') throw error;
  }
}

/**
 * Removes the temporary sockets of a path whose servers were killed before they published them. A
 * server between its bind and its listen refuses clients too, so that a new file stays. An error
 * leaves the file in the folder.
 */
async function removeStaleSockets(path: string): Promise<void> {
  const prefix = `${basename(path)}.`;
  const names = await readdir(dirname(path)).catch((): string[] => []);
  for (const name of names) {
    if (!name.startsWith(prefix) || !TEMPORARY_SUFFIX.test(name.slice(prefix.length))) continue;
    const temporary = join(dirname(path), name);
    const file = lstat(temporary);
    if (file?.isSocket !== true || Date.now() - file.bound < MIN_STALE_MS || (await answers(temporary))) continue;
    try {
      removeFile(temporary, file);
    } catch {
      // Another user's file in a folder with the sticky bit: the server starts beside it.
    }
  }
}

/** Gives a file a second path, unless the path is taken. */
function link(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch (error) {
    throw codeOf(error) === 'EEXIST' ? inUse(to) : error;
  }
}

/**
 * Returns an unused path in the same folder. It is at most as long as the system allows: beside a
 * path that is nearly full, the name is short.
 *
 * @throws Error with the code EINVAL if the folder has no unused name of the length that is left.
 */
function pathBeside(path: string): string {
  const long = join(dirname(path), `${basename(path)}.${randomBytes(4).toString('hex')}`);
  if (Buffer.byteLength(long) <= MAX_PATH_OCTETS) return long;
  const digits = Math.min(8, Buffer.byteLength(basename(path)) + MAX_PATH_OCTETS - Buffer.byteLength(path));
  for (let attempt = 0; attempt < MAX_NAME_ATTEMPTS; attempt++) {
    const short = join(dirname(path), randomBytes(4).toString('hex').slice(0, digits));
    if (short !== path && lstat(short) === undefined) return short;
  }
  throw systemError('EINVAL', `too long for a temporary name beside it ${path}`);
}

/**
 * Runs a synchronous function under a umask, so that a new file never has more permissions. A
 * worker thread keeps the process's umask.
 */
function withUmask(umask: number, work: () => void): void {
  if (!isMainThread) {
    work();
    return;
  }
  const before = process.umask(umask);
  try {
    work();
  } finally {
    process.umask(before);
  }
}

/**
 * Resolves with false only for ECONNREFUSED: after another error a server may be busy, or owned by
 * another user.
 */
function answers(path: string): Promise<boolean> {
  const { promise, resolve } = Promise.withResolvers<boolean>();
  const probe = connect(path);
  probe.on('connect', () => resolve(true));
  probe.on('error', (error) => resolve(codeOf(error) !== 'ECONNREFUSED'));
  return promise.finally(() => probe.destroy());
}

function inUse(path: string): Error {
  return systemError('EADDRINUSE', `address already in use ${path}`);
}

function systemError(code: string, reason: string): Error {
  return Object.assign(new Error(`listen ${code}: ${reason}`), { code });
}

function codeOf(error: unknown): string | undefined {
  return error instanceof Error && 'code' in error ? String(error.code) : undefined;
}

/** A descriptor that only names a file (open(2)): Node has no constant for it. */
const O_PATH = 0o1000_0000;
/** The end of a name of {@link pathBeside}. */
const TEMPORARY_SUFFIX = /^[\da-f]{8}$/;
/** The age at which a socket that refuses clients belongs to no server that starts. */
const MIN_STALE_MS = 5_000;
/** A name of one digit has 16 values. */
const MAX_NAME_ATTEMPTS = 256;
/** The room for a path in a `sockaddr_un`, without its NUL (unix(7)). BSD and macOS have less. */
const MAX_PATH_OCTETS = process.platform === 'linux' ? 107 : 103;
