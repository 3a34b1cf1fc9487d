import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { password, username } from './account.ts';
import type { CertificateFiles } from './certificate.ts';
import { childrenOf, pinned, type RunningServer } from './processes.ts';
import { answer } from './script-server.ts';
import { TemporaryFolder } from './temporary-folder.ts';

/** How {@link PosternCommand} starts. All else is as the command has it by default. */
export interface CommandOptions {
  /** The root of a built copy of this repository. */
  readonly root: string;
  /** The cores, as `taskset` writes them. Default: all. */
  readonly cores?: number | string | undefined;
  /** Options of Node itself. */
  readonly nodeOptions?: readonly string[];
  /** Listens with TLS from the first octet. Default: without TLS. */
  readonly certificate?: CertificateFiles | undefined;
  /** The arguments of `serve`. Default: an SMTP server for the one user that discards messages. */
  readonly args?: readonly string[];
  /** A config file. */
  readonly config?: string;
  /** Default: one process without a supervisor. */
  readonly workers?: number;
  /** Loads a module that collects garbage when it is asked to. */
  readonly collects?: boolean;
}

/**
 * The command `postern serve` as users start it: default limits, throttle and log, the log in a
 * file.
 */
export class PosternCommand implements RunningServer {
  /** 0 for a UNIX socket. */
  readonly port: number;
  readonly #child: ChildProcess;
  readonly #workers: number;
  readonly #folder: TemporaryFolder;
  readonly #kill: () => void;

  private constructor(child: ChildProcess, port: number, workers: number, folder: TemporaryFolder, kill: () => void) {
    this.#child = child;
    this.port = port;
    this.#workers = workers;
    this.#folder = folder;
    this.#kill = kill;
  }

  /** Starts the command. Resolves when it listens. */
  static async start(options: CommandOptions): Promise<PosternCommand> {
    const { root, cores, nodeOptions = [], workers = 1, collects = false } = options;
    const folder = new TemporaryFolder();
    const log = join(folder.path, 'log');
    const file = openSync(log, 'w');
    const preload = collects ? ['--expose-gc', '--import', join(import.meta.dirname, 'servers/collect.ts')] : [];
    const program = join(root, 'packages/postern/bin/postern.js');
    const args = [...preload, ...nodeOptions, program, 'serve', ...(options.args ?? serveArguments(options))];
    const [command, all] = pinned(cores, process.execPath, args);
    const child = spawn(command, all, {
      // Without a config file or a database in the current folder.
      cwd: folder.path,
      env: environment(),
      stdio: ['ignore', 'pipe', file, ...(collects ? (['ipc'] as const) : [])],
    });
    closeSync(file);
    const kill = (): void => void child.kill('SIGKILL');
    process.once('exit', kill);
    if (child.stdout === null) throw new Error('postern serve has no standard output');
    for await (const line of createInterface(child.stdout)) {
      const port = /^listening (?:smtp|pop3)s?:\/\/127\.0\.0\.1:(\d+)/.exec(line)?.[1];
      if (port === undefined && !/^listening [-a-z\d]+\+unix:/.test(line)) continue;
      child.stdout.resume();
      return new PosternCommand(child, Number(port ?? 0), workers, folder, kill);
    }
    process.off('exit', kill);
    const reason = readFileSync(log, 'utf8').trim().split('\n').at(-1);
    folder[Symbol.dispose]();
    throw new Error(`postern serve ended before it listened: ${reason}`);
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  /** The one process; or with workers the supervisor, then the workers. */
  get pids(): readonly number[] {
    return this.#workers === 1 ? [this.pid] : [this.pid, ...childrenOf(this.pid)];
  }

  async collect(): Promise<unknown> {
    this.#child.send('collect');
    return await answer(this.#child);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#child.exitCode === null && this.#child.signalCode === null) {
      const exit = once(this.#child, 'exit');
      if (this.#child.connected) this.#child.disconnect();
      this.#child.kill('SIGTERM');
      await exit;
    }
    process.off('exit', this.#kill);
    this.#folder[Symbol.dispose]();
  }
}

/** Returns the arguments of `postern serve` for the one user. */
export function serveArguments({ certificate, config, workers = 1 }: Partial<CommandOptions>): string[] {
  const listen = certificate === undefined ? 'smtp://127.0.0.1:0' : 'smtps://127.0.0.1:0';
  const args = ['--listen', listen, '--auth', `memory:${username}:${password}`, '--deliver', 'discard'];
  if (certificate !== undefined) args.push('--tls-cert', certificate.cert, '--tls-key', certificate.key);
  if (config !== undefined) args.push('--config', config);
  if (workers > 1) args.push('--workers', String(workers));
  return args;
}

/** The environment without what would change the command's settings or its Node. */
export function environment(): NodeJS.ProcessEnv {
  const changing = /^(POSTERN_|NODE_OPTIONS$|NODE_COMPILE_CACHE$|NODE_DISABLE_COMPILE_CACHE$|FORCE_COLOR$|NO_COLOR$)/;
  return Object.fromEntries(Object.entries(process.env).filter(([name]) => !changing.test(name)));
}
