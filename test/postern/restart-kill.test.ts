import { once } from 'node:events';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { startActivated } from '../support/activated.ts';
import { LineClient } from '../support/line-client.ts';
import { startPostern } from '../support/postern.ts';
import { skips, words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const RESTARTS = 5;
const CLIENTS = 16;
const SERVE = words`--auth memory:joe:s3cret --log json`;
/** The whole handshake, of which the first line is the version and the last one DONE. */
const HANDSHAKE = /^VERSION\t[\s\S]*\nDONE\n/;
/** `\0joe\0s3cret` in base64 (RFC 4616). */
const PLAIN = 'AGpvZQBzM2NyZXQ=';

// The proc file system of Linux lists the addresses of sockets.
describe.skipIf(process.platform !== 'linux')('a UNIX socket under load, while its server is restarted 5 times', () => {
  it.skipIf(skips('python3', 'python3'))('by a service manager: no connect fails, no greeting is lost', async () => {
    using folder = temporaryFolder('restart');
    const path = join(folder.path, 'smtp');
    await using postern = await startActivated(
      [`smtp=unix:${path}`],
      [...words`--listen dovecot-auth+unix:${path}`, ...SERVE],
    );
    const load = new Load(path);
    for (let restart = 1; restart <= RESTARTS; restart++) {
      await load.progress();
      postern.restart();
      await postern.said(/^listening /m, restart + 1);
    }
    expectUnharmed(await load.end());
  });

  it('by a server that takes over: no connect fails, no greeting is lost', async () => {
    using folder = temporaryFolder('restart');
    const path = join(folder.path, 'smtp');
    const start = () => startPostern(...words`--listen dovecot-auth+unix:${path}?takeover=yes`, ...SERVE);
    let postern = await start();
    const load = new Load(path);
    for (let restart = 0; restart < RESTARTS; restart++) {
      await load.progress();
      const next = await start();
      expect(await postern.stop()).toBe(0);
      postern = next;
    }
    const result = await load.end();
    await postern.stop();
    expectUnharmed(result);
  });
});

function expectUnharmed(result: LoadResult): void {
  expect(result).toMatchObject({ connectErrors: 0, lostGreetings: 0 });
  expect(result.logins).toBeGreaterThan(CLIENTS * RESTARTS);
}

interface LoadResult {
  /** The number of connections that the system refused or reset before a greeting. */
  readonly connectErrors: number;
  /** The number of connections that ended without a greeting. */
  readonly lostGreetings: number;
  readonly logins: number;
  /** The number of clients that a stopping server disconnected after its greeting. */
  readonly sentAway: number;
}

/** Clients that each connect, wait for the greeting, log in and connect again. */
class Load {
  readonly #path: string;
  readonly #clients: Promise<unknown>;
  readonly #result = { connectErrors: 0, lostGreetings: 0, logins: 0, sentAway: 0 };
  #ends = false;
  #progressed = { logins: 0, resolve: () => {} };

  constructor(path: string) {
    this.#path = path;
    this.#clients = Promise.all(Array.from({ length: CLIENTS }, () => this.#run()));
  }

  /** Resolves when all clients together have logged in about twice for each. */
  async progress(): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#progressed = { logins: this.#result.logins + 2 * CLIENTS, resolve };
    await promise;
  }

  async end(): Promise<LoadResult> {
    await this.progress();
    this.#ends = true;
    await this.#clients;
    return this.#result;
  }

  async #run(): Promise<void> {
    while (!this.#ends) await this.#logIn();
  }

  async #logIn(): Promise<void> {
    const socket = connect(this.#path);
    try {
      await once(socket, 'connect');
    } catch {
      this.#result.connectErrors++;
      return;
    }
    using client = new LineClient(socket);
    const greeting = await client.hear(HANDSHAKE).catch(() => undefined);
    if (greeting === undefined) {
      this.#result.lostGreetings++;
      return;
    }
    try {
      client.socket.write(`VERSION\t1\t0\nCPID\t1\nAUTH\t1\tPLAIN\tservice=smtp\tresp=${PLAIN}\n`);
      const reply = await client.hear(/^[^\n]*\n/);
      if (!reply.startsWith('OK\t1\tuser=joe')) {
        this.#result.sentAway++;
        return;
      }
      this.#result.logins++;
      if (this.#result.logins >= this.#progressed.logins) this.#progressed.resolve();
    } catch {
      this.#result.sentAway++;
    }
  }
}
