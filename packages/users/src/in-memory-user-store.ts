import { canonicalName } from './canonical-name.ts';
import { UnknownUser, UserExists } from './errors.ts';
import { changedUser, userKey } from './user-key.ts';
import type { UserRecord } from './user-record.ts';
import type { UserDatabase } from './user-store.ts';

/**
 * A user database in memory, for tests and examples. Its users end with the process.
 *
 * @example
 * ```ts
 * import { InMemoryUserStore } from '@postern/users';
 *
 * const users = new InMemoryUserStore([{ name: 'joe', secrets: ['{PLAIN}s3cret'] }]);
 * console.log(users.find('Joe')?.name);
 * ```
 */
export class InMemoryUserStore implements UserDatabase {
  readonly #users = new Map<string, UserRecord>();

  /**
   * @throws TypeError for a record that no database can store.
   * @throws UserExists if two users have one canonical name.
   */
  constructor(users: Iterable<UserRecord> = []) {
    for (const user of users) this.#add(user);
  }

  find(name: string): UserRecord | undefined {
    const key = canonicalName(name);
    return key === undefined ? undefined : this.#users.get(key);
  }

  async update(name: string, change: (user: UserRecord) => UserRecord | undefined): Promise<void> {
    const [key, user] = this.#known(name);
    const changed = changedUser(key, user, change);
    if (changed === undefined) return;
    this.#users.set(key, changed);
  }

  async add(user: UserRecord): Promise<void> {
    this.#add(user);
  }

  async addAll(
    users: Iterable<UserRecord> | AsyncIterable<UserRecord>,
    onProgress?: (stored: number) => void,
  ): Promise<readonly string[]> {
    const existing: string[] = [];
    let stored = 0;
    for await (const user of users) {
      const key = userKey(user);
      if (this.#users.has(key)) {
        existing.push(user.name);
      } else {
        this.#users.set(key, user);
        onProgress?.(++stored);
      }
    }
    return existing;
  }

  async remove(name: string): Promise<void> {
    const [key] = this.#known(name);
    this.#users.delete(key);
  }

  async *list(): AsyncGenerator<UserRecord, void> {
    for (const key of [...this.#users.keys()].toSorted()) {
      const user = this.#users.get(key);
      if (user !== undefined) yield user;
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {}

  #known(name: string): [key: string, user: UserRecord] {
    const key = canonicalName(name) ?? '';
    const user = this.#users.get(key);
    if (user === undefined) throw new UnknownUser(name);
    return [key, user];
  }

  #add(user: UserRecord): void {
    const key = userKey(user);
    if (this.#users.has(key)) throw new UserExists(user.name);
    this.#users.set(key, user);
  }
}
