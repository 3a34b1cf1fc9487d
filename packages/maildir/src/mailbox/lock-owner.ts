import { hash, randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The process that holds a lock, as the lock names it. Long names are hashes. */
export interface LockOwner {
  readonly pid: number;
  /** The start of the process in ticks since the boot, in base 36, on Linux. Empty if unknown. */
  readonly started: string;
  /** The running kernel: the boot; elsewhere than on Linux, the host name. */
  readonly boot: string;
  /** The namespace in which `pid` counts, on Linux. Empty if unknown. */
  readonly namespace: string;
  /** The machine, the same after a reboot. Empty if unknown. */
  readonly machine: string;
  /** Distinguishes all locks of all time: 16 hexadecimal digits. */
  readonly nonce: string;
}

/** This process as the owner of locks. Reads once what stays the same. */
export class LockOwners {
  readonly #process = `${process.pid}.${startOf(process.pid)}.${boot()}.${namespace()}.${machine()}.`;

  /** Returns the text of a new lock: see {@link parseLockOwner}. */
  next(): string {
    return this.#process + randomBytes(NONCE_OCTETS).toString('hex');
  }
}

/**
 * Returns true if the process cannot run any more: it has ended, another process has its pid, or
 * the machine has been booted since. Returns false for a process of another machine or container,
 * which only the age of its lock can judge.
 */
export function hasEnded(owner: LockOwner): boolean {
  if (owner.boot !== boot()) {
    const bothOfLinux = owner.namespace !== '' && namespace() !== '';
    return bothOfLinux && owner.machine !== '' && owner.machine === machine();
  }
  if (owner.namespace !== namespace()) return false;
  if (!isRunning(owner.pid)) return true;
  const started = startOf(owner.pid);
  return started !== '' && owner.started !== '' && started !== owner.started;
}

/**
 * Parses the text of a lock: six fields with dots between, at most 59 octets. ext4 and XFS store
 * the target of a symbolic link of this length in its inode. Returns undefined for a damaged text.
 */
export function parseLockOwner(text: string): LockOwner | undefined {
  const [, pid, started = '', boot = '', namespace = '', machine = '', nonce = ''] = LOCK_TEXT.exec(text) ?? [];
  return pid === undefined ? undefined : { pid: Number(pid), started, boot, namespace, machine, nonce };
}

function isRunning(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: the process belongs to another user.
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
}

/** Returns field 22 of `/proc/PID/stat`. The second field, the command, may contain anything. */
function startOf(pid: number): string {
  const stat = readText(`/proc/${pid}/stat`);
  const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  return ticks === undefined ? '' : Number(ticks).toString(36);
}

function boot(): string {
  return digest(readText('/proc/sys/kernel/random/boot_id') || hostname());
}

function namespace(): string {
  return digest(readTarget('/proc/self/ns/pid'));
}

/** Returns the machine id of systemd with the host name: a cloned machine has another name. */
function machine(): string {
  const id = readText('/etc/machine-id');
  return id === '' ? '' : digest(`${id} ${hostname()}`);
}

/** Returns 48 bits of a hash in base64url; the empty string for an empty text. */
function digest(text: string): string {
  return text === '' ? '' : hash('sha256', text, 'base64url').slice(0, DIGEST_CHARACTERS);
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8').trim();
  } catch {
    return '';
  }
}

function readTarget(path: string): string {
  try {
    return readlinkSync(path);
  } catch {
    return '';
  }
}

/** 8 octets are 16 digits: the nonce becomes a part of a file name. */
const NONCE_OCTETS = 8;
const DIGEST_CHARACTERS = 8;
const LOCK_TEXT = /^([1-9]\d{0,9})\.([\da-z]{0,9})\.([\w-]{8})\.([\w-]{8}|)\.([\w-]{8}|)\.([\da-f]{16})\n?$/;
