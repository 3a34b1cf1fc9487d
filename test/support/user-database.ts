import { join } from 'node:path';
import { runInProcess } from './in-process.ts';
import type { Ended } from './program.ts';
import { temporaryFolder } from './temporary-folder.ts';

/** A user database in a folder of its own, and `postern user` for it. */
export class TestUserDatabase implements Disposable {
  readonly #folder = temporaryFolder('user');
  /** The folder of the database. */
  readonly path = this.#folder.path;
  /** The value of `--db` and `--auth`. */
  readonly spec = `sqlite:${join(this.path, 'users.db')}`;

  /** Runs `postern user` with `--db`. */
  user(args: readonly string[], input = ''): Promise<Ended> {
    return runInProcess(['user', ...args, '--db', this.spec], input);
  }

  /** Runs `postern user` and returns its output. Rejects unless it succeeds. */
  async expect(args: readonly string[], input = ''): Promise<string> {
    const { code, output } = await this.user(args, input);
    if (code !== 0) throw new Error(`postern user ${args.join(' ')} ended with ${code}: ${output}`);
    return output;
  }

  /** Returns a user as `show --json` prints it. */
  async show(name: string): Promise<Readonly<Record<string, unknown>>> {
    return JSON.parse(await this.expect(['show', name, '--json']));
  }

  [Symbol.dispose](): void {
    this.#folder[Symbol.dispose]();
  }
}
