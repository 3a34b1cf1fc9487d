import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { password, username } from '../account.ts';
import { compile, type Seen, type WindowRequest } from '../load.ts';
import type { Load } from '../measure.ts';
import { pinned } from '../processes.ts';
import { TemporaryFolder } from '../temporary-folder.ts';
import type { AuthServer } from './servers.ts';
import type { AuthWork } from './works.ts';

/** The load generator of `load.c`, compiled into a folder of its own. */
export class AuthLoad implements Load<AuthWork, AuthServer>, Disposable {
  readonly #folder = new TemporaryFolder();
  readonly #program = join(this.#folder.path, 'load');
  readonly #core: number | undefined;

  constructor(core: number | undefined) {
    this.#core = core;
    compile(SOURCES, this.#program);
  }

  async run(work: AuthWork, server: AuthServer, windows: readonly WindowRequest[]): Promise<Seen> {
    const [command, args] = pinned(this.#core, this.#program, [
      work.load,
      server.path === undefined ? `port=${server.port}` : `path=${server.path}`,
      `at-once=${work.connections}`,
      `in-flight=${work.inFlight}`,
      `user=${username}`,
      `password=${password}`,
      `pids=${server.pids.join()}`,
      `windows=${windows.map(({ after, length }) => `${after}:${length}`).join()}`,
    ]);
    const child = spawn(command, args, { stdio: ['ignore', 'pipe', 'pipe'] });
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (code !== 0) throw new Error(`the load generator: ${errors.trim() || `exit code ${code}`}`);
    return JSON.parse(output) as Seen;
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}

const SOURCES = ['load.c', '../load/measure.c', '../load/base64.c'].map((name) => join(import.meta.dirname, name));
