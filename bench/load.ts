import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { text } from 'node:stream/consumers';
import { password, username } from './account.ts';
import { has, pinned, type RunningServer } from './processes.ts';
import { TemporaryFolder } from './temporary-folder.ts';
import type { Window } from './window.ts';
import type { Body, Work } from './works.ts';

/** A window of time to count in, in milliseconds of the server's processor time. */
export interface WindowRequest {
  /** Milliseconds after the first connection. */
  readonly after: number;
  readonly length: number;
}

/** What the load generator counted: the windows, and all from the first connection to the last. */
export interface Seen {
  readonly windows: readonly Window[];
  readonly sessions: number;
  readonly messages: number;
  readonly logins: number;
  /** The connections with a resumed TLS session. */
  readonly resumed: number;
}

/** The properties of a work that the load generator takes. */
export type LoadedWork = Pick<Work, 'id' | 'connections' | 'body' | 'tls'> & {
  /** The load generator's word for it. */
  readonly load: Work['load'] | 'pop3-login' | 'pop3-retr';
  /**
   * The number of users: see `userRecords`. For SCRAM they log in in random order; for POP3 each
   * connection has a user of its own. Default: the one user.
   */
  readonly users?: number;
  /** The messages of a mailbox that `pop3-retr` reads in turn, and the octets of each as sent. */
  readonly messages?: { readonly count: number; readonly octets: number };
};

/** The load generator, compiled from `load/` into a folder of its own. */
export class LoadGenerator implements Disposable {
  readonly #folder = new TemporaryFolder();
  readonly #programs = new Map<'plain' | 'tls', string>();
  readonly #core: number | undefined;
  readonly #certificate: string | undefined;

  /** The certificate's file is the one that TLS works trust. */
  constructor(core: number | undefined, certificate?: string) {
    this.#core = core;
    this.#certificate = certificate;
  }

  /** Puts a server under the load of a work. Rejects at the first unexpected reply. */
  async run(work: LoadedWork, server: RunningServer, windows: readonly WindowRequest[]): Promise<Seen> {
    const args = [
      work.load,
      `port=${server.port}`,
      `pids=${server.pids.join()}`,
      `at-once=${work.connections}`,
      `windows=${windows.map(({ after, length }) => `${after}:${length}`).join()}`,
    ];
    if (work.users !== undefined) args.push(`users=${work.users}`);
    if (work.messages !== undefined) args.push(`messages=${work.messages.count}`, `octets=${work.messages.octets}`);
    if (work.body !== undefined) args.push(`body=${this.#write(work.id, work.body)}`);
    if (work.tls === 'resumed') args.push('resume=1');
    const child = this.#spawn(args, work.tls !== undefined);
    const [output, errors, [code]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, 'close')]);
    if (code !== 0) throw new Error(`the load generator: ${errors.trim() || `exit code ${code}`}`);
    return JSON.parse(output) as Seen;
  }

  /**
   * Opens authenticated connections up to each of the numbers in turn, and calls `opened` each
   * time.
   */
  async hold(
    port: number,
    numbers: readonly number[],
    protocol: 'smtp' | 'smtps' | 'pop3',
    opened: () => Promise<void>,
  ): Promise<void> {
    const work = protocol === 'pop3' ? ['pop3-hold', `users=${Math.max(...numbers)}`] : ['hold'];
    const child = this.#spawn([...work, `port=${port}`, `hold=${numbers.join()}`], protocol === 'smtps');
    const errors = text(child.stderr);
    let seen = 0;
    for await (const _line of createInterface(child.stdout)) {
      seen += 1;
      await opened();
      child.stdin.write('\n');
    }
    if (seen < numbers.length) throw new Error(`the load generator: ${(await errors).trim()}`);
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }

  #spawn(args: readonly string[], tls: boolean) {
    const login = [`user=${username}`, `password=${password}`];
    const trust = tls ? [`certificate=${this.#certificate}`] : [];
    const [command, all] = pinned(this.#core, this.#program(tls ? 'tls' : 'plain'), [...args, ...login, ...trust]);
    return spawn(command, all, { stdio: ['pipe', 'pipe', 'pipe'] });
  }

  #program(form: 'plain' | 'tls'): string {
    const known = this.#programs.get(form);
    if (known !== undefined) return known;
    const program = join(this.#folder.path, `load-${form}`);
    const libraries = form === 'tls' ? ['-DTLS', '-lssl', '-lcrypto'] : [];
    compile(SOURCES, program, libraries);
    this.#programs.set(form, program);
    return program;
  }

  #write(name: string, { line, octets }: Body): string {
    const file = join(this.#folder.path, name);
    if (!existsSync(file)) writeFileSync(file, HEADER + line.repeat(Math.ceil((octets - HEADER.length) / line.length)));
    return file;
  }
}

/**
 * Compiles a program.
 *
 * @throws Error that names what to install.
 */
export function compile(sources: readonly string[], program: string, libraries: readonly string[] = []): void {
  const { CC: compiler = 'cc' } = process.env;
  const hint = 'install gcc, libc6-dev and libssl-dev (Debian), or set CC';
  if (!has(compiler)) throw new Error(`the load generator is in C, and ${compiler} does not exist: ${hint}`);
  const { status, stderr } = spawnSync(compiler, ['-O2', '-o', program, ...sources, ...libraries], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`${sources[0]} does not compile (${hint}): ${stderr}`);
}

/** The header of each message, as a mail program writes it. */
const HEADER = [
  'From: Joe <joe@example.com>',
  'To: Ann <ann@example.com>',
  'Subject: A message of the bench',
  'Date: Thu, 01 Jan 2026 00:00:00 +0000',
  'Message-ID: <1@bench.example.com>',
  'MIME-Version: 1.0',
  'Content-Type: text/plain; charset=us-ascii',
  '\r\n',
].join('\r\n');

const FOLDER = join(import.meta.dirname, 'load');

const SOURCES = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.c'))
  .map((name) => join(FOLDER, name));
