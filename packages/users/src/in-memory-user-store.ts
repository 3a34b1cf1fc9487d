import type { Interface, PasswordProof } from '@postern/cred';
import { canonicalName } from './canonical-name.ts';
import { CommonInterfaces, credentialForms } from './credential-forms.ts';
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
  /** The number of users of each sum of forms. */
  readonly #formCounts = new Map<number, number>();
  readonly #common = new CommonInterfaces();

  /**
   * The secrets of `users` are stored unchecked, as in a database that another program has written.
   *
   * @throws TypeError for a record that no database can store.
   * @throws UserExists if two users have one canonical name.
   */
  constructor(users: Iterable<UserRecord> = []) {
    for (const user of users) this.#add(user, userKey(user, user));
  }

  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    return this.#common.of(this.#formCounts.keys());
  }

  find(name: string): UserRecord | undefined {
    const key = canonicalName(name);
    return key === undefined ? undefined : this.#users.get(key);
  }

  async update(name: string, change: (user: UserRecord) => UserRecord | undefined): Promise<void> {
    const [key, user] = this.#known(name);
    const changed = changedUser(key, user, change);
    if (changed === undefined) return;
    this.#delete(key, user);
    this.#set(key, changed);
  }

  async add(user: UserRecord): Promise<void> {
    this.#add(user, userKey(user));
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
        this.#set(key, user);
        onProgress?.(++stored);
      }
    }
    return existing;
  }

  async remove(name: string): Promise<void> {
    this.#delete(...this.#known(name));
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

  #add(user: UserRecord, key: string): void {
    if (this.#users.has(key)) throw new UserExists(user.name);
    this.#set(key, user);
  }

  #set(key: string, user: UserRecord): void {
    this.#users.set(key, user);
    this.#count(user, 1);
  }

  #delete(key: string, user: UserRecord): void {
    this.#users.delete(key);
    this.#count(user, -1);
  }

  #count(user: UserRecord, change: 1 | -1): void {
    const forms = credentialForms(user);
    if (forms === undefined) return;
    const count = (this.#formCounts.get(forms) ?? 0) + change;
    if (count === 0) this.#formCounts.delete(forms);
    else this.#formCounts.set(forms, count);
  }
}
