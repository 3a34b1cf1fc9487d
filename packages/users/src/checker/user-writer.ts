import { TemporaryFailure } from '@postern/cred';
import { UnknownUser } from '../errors.ts';
import type { HashQueue } from '../hashing/hash-queue.ts';
import { hashPassword } from '../secrets/hash-password.ts';
import type { PasswordPolicy } from '../secrets/policy.ts';
import { needsRehash, rehashedSecrets } from '../secrets/rehash.ts';
import type { AppPassword, UserRecord } from '../user-record.ts';
import { isUpdatable, type UserStore } from '../user-store.ts';
import { BackgroundTasks } from './background-tasks.ts';

/**
 * Stores what a login changes in a user, in the background: new hashes, and the last use of an
 * application password. A read-only store stays as it is.
 */
export class UserWriter implements AsyncDisposable {
  readonly #store: UserStore;
  readonly #queue: HashQueue;
  readonly #policy: PasswordPolicy;
  readonly #now: () => number;
  readonly #rehashes: BackgroundTasks;
  readonly #uses: BackgroundTasks;

  constructor(
    store: UserStore,
    queue: HashQueue,
    policy: PasswordPolicy,
    now: () => number,
    onError: (error: Error) => void,
  ) {
    this.#store = store;
    this.#queue = queue;
    this.#policy = policy;
    this.#now = now;
    this.#rehashes = new BackgroundTasks(MAX_REHASHES, onError);
    this.#uses = new BackgroundTasks(MAX_USES, onError);
  }

  /**
   * Replaces secrets below today's parameters after a login with the right password. Secrets that
   * have changed meanwhile stay.
   */
  rehash({ name, secrets }: UserRecord, password: string): void {
    if (this.#store.update === undefined || !needsRehash(secrets, this.#policy, password)) return;
    this.#rehashes.start(name, async () => {
      // Here, since an error of `canUpdate` must not fail the login.
      if (!isUpdatable(this.#store, name)) return;
      const fresh = await this.#hash(password);
      if (fresh === undefined) return;
      const replacement = rehashedSecrets(secrets, fresh);
      await this.#update(name, (user) =>
        equalLists(user.secrets, secrets) ? { ...user, secrets: replacement } : undefined,
      );
    });
  }

  /** Stores the time of a login with an application password, at most once a minute. */
  noteUse({ name }: UserRecord, appPassword: AppPassword): void {
    const time = this.#now();
    if (this.#store.update === undefined || !isDue(appPassword, time)) return;
    this.#uses.start(`${name}\0${appPassword.name}`, async () => {
      if (!isUpdatable(this.#store, name)) return;
      await this.#update(name, (user) => {
        const { appPasswords = [] } = user;
        // The name alone may belong to a new password meanwhile.
        const current = appPasswords.find(
          (stored) => stored.name === appPassword.name && equalLists(stored.secrets, appPassword.secrets),
        );
        if (current === undefined || !isDue(current, time)) return undefined;
        const used = { ...current, lastUsed: new Date(time) };
        return { ...user, appPasswords: appPasswords.map((stored) => (stored === current ? used : stored)) };
      });
    });
  }

  /** Resolves when the running work has ended. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([this.#rehashes[Symbol.asyncDispose](), this.#uses[Symbol.asyncDispose]()]);
  }

  /** Resolves with undefined if the queue is full: logins come first. The next login rehashes. */
  async #hash(password: string): Promise<readonly string[] | undefined> {
    try {
      return await hashPassword(password, { queue: this.#queue, policy: this.#policy });
    } catch (error) {
      if (error instanceof TemporaryFailure) return undefined;
      throw error;
    }
  }

  async #update(name: string, change: (user: UserRecord) => UserRecord | undefined): Promise<void> {
    try {
      await this.#store.update?.(name, change);
    } catch (error) {
      // The operator has removed the user meanwhile.
      if (!(error instanceof UnknownUser)) throw error;
    }
  }
}

function isDue({ lastUsed }: AppPassword, time: number): boolean {
  return lastUsed == null || !(time - lastUsed.getTime() < MIN_USE_INTERVAL_MS);
}

function equalLists(texts: readonly string[], others: readonly string[]): boolean {
  return texts.length === others.length && texts.every((text, index) => text === others[index]);
}

const MAX_REHASHES = 2;
const MAX_USES = 16;
const MIN_USE_INTERVAL_MS = 60_000;
