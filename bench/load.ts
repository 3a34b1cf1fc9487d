import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import * as account from './account.ts';
import { has, pinned } from './processes.ts';
import type { Body, Work } from './works.ts';

/** What the load generator saw in its window of time. */
export interface Seen {
  readonly seconds: number;
  readonly sessions: number;
  readonly messages: number;
  /** All that it sent. */
  readonly bytes: number;
  /** How much of the time the server had a processor, 0 to 1. */
  readonly serverBusy: number;
  /** Acknowledged messages and logins from the first to the last, outside of the window as well. */
  readonly allMessages: number;
  readonly allLogins: number;
}

/** What the load generator needs to know of a work. */
export type LoadedWork = Pick<Work, 'id' | 'load' | 'connections' | 'body'> & {
  /** The number of users for SCRAM, in random order: see `userNames`. Default: the one user. */
  readonly users?: number;
};

/** The load generator, compiled from load.c into a folder that goes with it. */
export class LoadGenerator implements Disposable {
  readonly #dir = mkdtempSync(join(tmpdir(), 'postern-bench-'));
  readonly #program = join(this.#dir, 'load');
  readonly #core: number | undefined;

  constructor(core: number | undefined) {
    this.#core = core;
    const { CC: compiler = 'cc' } = process.env;
    if (!has(compiler)) {
      throw new Error(
        `the load generator is in C, and there is no ${compiler}: install gcc or clang (Debian: apt-get install gcc libc6-dev), or set CC`,
      );
    }
    const { status, stderr } = spawnSync(compiler, ['-O2', '-o', this.#program, join(import.meta.dirname, 'load.c')], {
      encoding: 'utf8',
    });
    if (status !== 0) throw new Error(`load.c does not compile: ${stderr}`);
  }

  /** Puts a server under the load of a work. Rejects at the first unexpected reply. */
  async run(work: LoadedWork, port: number, pid: number, warmUp: number, measure: number): Promise<Seen> {
    const args = [
      work.load,
      ...this.#login(port),
      `pid=${pid}`,
      `at-once=${work.connections}`,
      `warm-up=${warmUp}`,
      `measure=${measure}`,
    ];
    if (work.users !== undefined) args.push(`users=${work.users}`);
    if (work.body !== undefined) args.push(`body=${this.#write(work.id, work.body)}`);
    const lines: string[] = [];
    const child = this.#spawn(args);
    for await (const line of createInterface(child.stdout)) lines.push(line);
    const code = child.exitCode ?? (await new Promise((resolve) => child.once('exit', resolve)));
    if (code !== 0) throw new Error(`the load generator gave up at work ${work.id}`);
    return JSON.parse(lines.join('')) as Seen;
  }

  /**
   * Opens authenticated connections up to each of the numbers in turn, and calls `opened` each
   * time.
   */
  async hold(port: number, numbers: readonly number[], opened: () => Promise<void>): Promise<void> {
    const child = this.#spawn(['hold', ...this.#login(port), `hold=${numbers.join()}`]);
    let seen = 0;
    for await (const _line of createInterface(child.stdout)) {
      seen += 1;
      await opened();
      child.stdin.write('\n');
    }
    if (seen < numbers.length) throw new Error('the load generator gave up at the idle connections');
  }

  [Symbol.dispose](): void {
    rmSync(this.#dir, { recursive: true, force: true });
  }

  #spawn(args: readonly string[]) {
    const [command, all] = pinned(this.#core, this.#program, args);
    return spawn(command, all, { stdio: ['pipe', 'pipe', 'inherit'] });
  }

  #login(port: number): string[] {
    return [
      `port=${port}`,
      `plain=${account.plain.toString('base64')}`,
      `user=${account.username}`,
      `client-key=${account.clientKey.toString('hex')}`,
      `server-key=${account.serverKey.toString('hex')}`,
    ];
  }

  #write(name: string, { line, octets }: Body): string {
    const file = join(this.#dir, name);
    writeFileSync(file, HEADER + line.repeat(Math.ceil((octets - HEADER.length) / line.length)));
    return file;
  }
}

/** What a message begins with; servers look for the empty line. */
const HEADER = [
  'From: Joe <joe@example.com>',
  'To: Ann <ann@example.com>',
  'Subject: A message of the bench',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  'Message-ID: <1@bench.example.com>',
  '\r\n',
].join('\r\n');
