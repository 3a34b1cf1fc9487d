import { randomBytes } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** The process that holds a lock, as its lock file names it. */
export interface LockOwner {
  readonly pid: number;
  /** The start of the process in ticks since the boot, on Linux. Empty if unknown. */
  readonly started: string;
  /** The running kernel and the namespace in which `pid` counts. Empty if unknown. */
  readonly kernel: string;
  /** The machine, the same after a reboot. Empty if unknown. */
  readonly machine: string;
  /** Distinguishes all locks of all time. */
  readonly nonce: string;
}

/** This process as the owner of locks. Reads once what stays the same. */
export class LockOwners {
  readonly #process: Omit<LockOwner, 'nonce'>;

  constructor() {
    const { pid } = process;
    this.#process = { pid, started: startOf(pid), kernel: kernel(), machine: machine() };
  }

  /** Returns the owner of a new lock. */
  next(): LockOwner {
    return { ...this.#process, nonce: randomBytes(8).toString('hex') };
  }
}

/**
 * Returns true if the process cannot run any more: it has ended, another process has its pid, or
 * the machine has been booted since. Returns false for a process of another machine or container,
 * which only the age of its lock can judge.
 */
export function hasEnded(owner: LockOwner): boolean {
  const here = kernel();
  if (owner.kernel !== here)
    return owner.machine !== '' && owner.machine === machine() && isOtherBoot(owner.kernel, here);
  if (!isRunning(owner.pid)) return true;
  const started = startOf(owner.pid);
  return started !== '' && owner.started !== '' && started !== owner.started;
}

/** Formats an owner for a lock file: one line of JSON. */
export function formatLockOwner(owner: LockOwner): string {
  return `${JSON.stringify(owner)}\n`;
}

/** Parses the content of a lock file. Returns undefined if it is damaged. */
export function parseLockOwner(text: string): LockOwner | undefined {
  try {
    const { pid, started, kernel, machine, nonce } = JSON.parse(text) as Partial<Record<keyof LockOwner, unknown>>;
    if (!Number.isSafeInteger(pid) || Number(pid) <= 0) return undefined;
    if (typeof started !== 'string' || typeof kernel !== 'string' || typeof machine !== 'string') return undefined;
    // The nonce becomes part of a file name.
    if (typeof nonce !== 'string' || !/^[0-9a-f]{16}$/.test(nonce)) return undefined;
    return { pid: Number(pid), started, kernel, machine, nonce };
  } catch {
    return undefined;
  }
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
  return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19] ?? '';
}

/** Returns the boot and the pid namespace; elsewhere than on Linux, the host name. */
function kernel(): string {
  const boot = readText('/proc/sys/kernel/random/boot_id');
  return boot === '' ? hostname() : `${boot} ${readTarget('/proc/self/ns/pid')}`;
}

/** Returns true if both are boots of Linux, and different ones. */
function isOtherBoot(one: string, other: string): boolean {
  const [boots, namespaces] = [
    [one, other].map((text) => text.split(' ')[0]),
    [one, other].map((text) => text.split(' ')[1]),
  ];
  return boots[0] !== boots[1] && !namespaces.includes(undefined);
}

/** Returns the machine id of systemd with the host name: a cloned machine has another name. */
function machine(): string {
  const id = readText('/etc/machine-id');
  return id === '' ? '' : `${id} ${hostname()}`;
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
