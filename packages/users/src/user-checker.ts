import {
  type AvatarId,
  type Checker,
  type Interface,
  type Mind,
  type PasswordProof,
  TemporaryFailure,
  type TrustedLogin,
  UnauthorizedLogin,
  type UserDirectory,
  UsernamePassword,
} from '@postern/cred';
import { ScramCredentials } from '@postern/sasl';
import { canonicalName } from './canonical-name.ts';
import { checkAccount, checkAppPassword, checkPasswordChange } from './checker/account.ts';
import { PasswordVerifier } from './checker/password-verifier.ts';
import { ScramKinds } from './checker/scram-kinds.ts';
import { StoreSample } from './checker/store-sample.ts';
import { canVerify, SecretReader, type StoredSecrets } from './checker/stored-secrets.ts';
import { UserWriter } from './checker/user-writer.ts';
import { imitateWork, verifyProof } from './checker/verify-proof.ts';
import type { SecretError } from './errors.ts';
import { HashQueue } from './hashing/hash-queue.ts';
import { defaultPolicy, type PasswordPolicy } from './secrets/policy.ts';
import type { SecretOptions } from './secrets/secret-options.ts';
import { SecondFactor, type TotpOptions } from './totp/second-factor.ts';
import { parseTotp, type Totp } from './totp/totp.ts';
import { userFault } from './user-fault.ts';
import type { AppPassword, UserRecord } from './user-record.ts';
import { interfacesOfStore, type UserStore } from './user-store.ts';
import { warn } from './warn.ts';

/** The options of a {@link UserChecker}. */
export interface UserCheckerOptions extends SecretOptions {
  /**
   * The queue that computes the hashes. Checkers of one process should share one. Default: a queue
   * of the checker's own.
   */
  readonly queue?: HashQueue;
  /**
   * Today's parameters for hashes. A login with a hash below them stores a new one, if the store
   * has `update`. Default: argon2id and SCRAM-SHA-256.
   */
  readonly policy?: PasswordPolicy;
  /** The options of one-time codes. */
  readonly totp?: TotpOptions;
  /**
   * Receives the errors that no login reports: a stored secret that cannot be used, once for each
   * user and kind, and a failure to store a new hash. Default: a process warning.
   */
  readonly onError?: (error: Error) => void;
  /** Returns the time in milliseconds since 1970. Default: `Date.now`. */
  readonly now?: () => number;
}

/**
 * Judges the logins of the users of a store, by whatever secrets the store has: hashes, SCRAM
 * records, one-time codes, application passwords. It judges the credentials that the store names,
 * so that a server offers the mechanisms that work.
 *
 * - An unknown user is refused like a wrong password, after the same work.
 * - A closed account is denied only after the right password.
 * - A secret that cannot be used, and an error of the store, are a {@link TemporaryFailure}.
 *
 * @example
 * ```ts
 * import { type UserRecord, UserChecker } from '@postern/users';
 *
 * interface Row {
 *   readonly name: string;
 *   readonly hash: string;
 * }
 * declare function query(sql: string, name: string): Promise<Row | undefined>;
 *
 * const users = new UserChecker({
 *   async find(name): Promise<UserRecord | undefined> {
 *     const row = await query('SELECT name, hash FROM users WHERE lower(name) = $1', name);
 *     return row && { name: row.name, secrets: [row.hash] };
 *   },
 * });
 * ```
 */
export class UserChecker implements Checker<PasswordProof>, UserDirectory, AsyncDisposable {
  readonly #store: UserStore;
  readonly #now: () => number;
  readonly #ownQueue: HashQueue | undefined;
  readonly #reader: SecretReader;
  readonly #verifier: PasswordVerifier;
  readonly #scramKinds = new ScramKinds();
  readonly #sample: StoreSample;
  readonly #secondFactor: SecondFactor;
  readonly #writer: UserWriter;
  /** A look-up without a client has no end but the store's own. */
  readonly #never = new AbortController().signal;

  constructor(store: UserStore, options: UserCheckerOptions = {}) {
    const { policy = defaultPolicy, totp = {}, now = Date.now, onError = warn } = options;
    this.#store = store;
    this.#now = now;
    this.#ownQueue = options.queue === undefined ? new HashQueue() : undefined;
    const queue = options.queue ?? (this.#ownQueue as HashQueue);
    this.#reader = new SecretReader(options, onError);
    this.#verifier = new PasswordVerifier(queue, policy, this.#reader);
    this.#sample = new StoreSample(store, (sampled) => this.#addToSample(sampled), onError);
    this.#secondFactor = new SecondFactor(store, now, totp);
    this.#writer = new UserWriter(store, queue, policy, now, onError);
  }

  /** The classes of credentials for which the store has a secret of every user. They may change. */
  get credentialInterfaces(): readonly Interface<PasswordProof>[] {
    return interfacesOfStore(this.#store);
  }

  /** Returns true if the store has a user of this name, also if the account is closed. */
  async hasUser(username: string): Promise<boolean> {
    return (await this.#find(username, this.#never)) !== undefined;
  }

  /**
   * Returns the name of a user that a trusted peer has logged in, without a proof; undefined for an
   * unknown user.
   *
   * @throws LoginDenied if the account is closed.
   */
  async recognise({ username }: TrustedLogin, { protocol, signal }: Mind): Promise<string | undefined> {
    const user = await this.#find(username, signal);
    if (user !== undefined) checkAccount(user, protocol, this.#now());
    return user?.name;
  }

  async requestAvatarId(credentials: PasswordProof, mind: Mind): Promise<AvatarId> {
    await this.#sample.ready(mind.signal);
    const user = await this.#find(credentials.username, mind.signal);
    if (credentials instanceof UsernamePassword) return await this.#judgePassword(credentials, user, mind);
    return await this.#judgeProof(credentials, user, mind);
  }

  /** Resolves when the work in the background has ended, such as the storing of a new hash. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.#writer[Symbol.asyncDispose]();
    await this.#ownQueue?.close();
  }

  async #find(username: string, signal: AbortSignal): Promise<UserRecord | undefined> {
    const name = canonicalName(username);
    const user = name === undefined ? undefined : await this.#store.find(name, signal);
    return user == null ? undefined : assertUser(user);
  }

  async #judgePassword(credentials: UsernamePassword, user: UserRecord | undefined, mind: Mind): Promise<AvatarId> {
    const { protocol, signal } = mind;
    const appPassword = await this.#findAppPassword(credentials, user, signal);
    if (user !== undefined && appPassword !== undefined) {
      checkAccount(user, protocol, this.#now());
      checkAppPassword(appPassword, protocol, this.#now());
      this.#writer.noteUse(user, appPassword);
      return user.name;
    }
    const totp = this.#readTotp(user);
    const { password, code } =
      totp === undefined
        ? { password: credentials, code: undefined }
        : await this.#secondFactor.part(credentials, totp, mind);
    const isPasswordRight = await this.#verifyPassword(password, user, signal);
    const isRight =
      totp === undefined || user === undefined
        ? isPasswordRight
        : await this.#secondFactor.accept(user.name, totp, code, isPasswordRight);
    if (user === undefined || !isRight) throw new UnauthorizedLogin();
    checkAccount(user, protocol, this.#now());
    checkPasswordChange(user);
    this.#writer.rehash(user, password.password);
    return user.name;
  }

  /** A user with a second factor is refused: no proof but the password itself carries a code. */
  async #judgeProof(credentials: PasswordProof, user: UserRecord | undefined, mind: Mind): Promise<AvatarId> {
    const secrets = user === undefined || user.totp != null ? undefined : this.#reader.read(user.name, user.secrets);
    if (credentials instanceof ScramCredentials) this.#hideAmongUsers(credentials, secrets);
    const verdict = secrets && verifyProof(credentials, secrets);
    if (verdict === undefined) {
      if (secrets?.error !== undefined) throw unusable(secrets.error);
      imitateWork(credentials);
    }
    if (user === undefined || !(await verdict)) throw new UnauthorizedLogin();
    checkAccount(user, mind.protocol, this.#now());
    checkPasswordChange(user);
    return user.name;
  }

  #addToSample(user: UserRecord): void {
    const secrets = this.#reader.peek(user.name, user.secrets);
    this.#verifier.sample(secrets);
    if (user.totp == null) this.#scramKinds.learn(secrets);
  }

  /** Before each challenge, so that the look-up of a known user takes as long. */
  #hideAmongUsers(credentials: ScramCredentials, secrets: StoredSecrets | undefined): void {
    if (secrets !== undefined) this.#scramKinds.learn(secrets);
    const { hash, username } = credentials;
    credentials.hideAmong(canonicalName(username) ?? username, this.#scramKinds.of(hash));
  }

  /** Compares the password once for every user, known or not. */
  async #verifyPassword(
    credentials: UsernamePassword,
    user: UserRecord | undefined,
    signal: AbortSignal,
  ): Promise<boolean> {
    const secrets = user && this.#reader.read(user.name, user.secrets);
    if (secrets !== undefined) {
      this.#verifier.learn(secrets);
      if (user?.totp == null) this.#scramKinds.learn(secrets);
      if (canVerify(secrets)) return await this.#verifier.verify(credentials, secrets, signal);
    }
    const { username } = credentials;
    await this.#verifier.verifyDecoy(credentials, canonicalName(username) ?? username, signal);
    if (secrets?.error !== undefined) throw unusable(secrets.error);
    return false;
  }

  /** Compares first with application passwords: their hashes take microseconds. */
  async #findAppPassword(
    credentials: UsernamePassword,
    user: UserRecord | undefined,
    signal: AbortSignal,
  ): Promise<AppPassword | undefined> {
    for (const appPassword of user?.appPasswords ?? []) {
      const secrets = this.#reader.read(`${user?.name} (${appPassword.name})`, appPassword.secrets);
      if (await this.#verifier.verify(credentials, secrets, signal)) return appPassword;
    }
    return undefined;
  }

  #readTotp(user: UserRecord | undefined): Totp | undefined {
    if (user?.totp == null) return undefined;
    try {
      return parseTotp(user.totp);
    } catch (error) {
      throw unusable(this.#reader.report(user.name, error));
    }
  }
}

/** A login must not depend on the order in which the parts of a malformed record are read. */
function assertUser(user: UserRecord): UserRecord {
  const fault = userFault(user);
  if (fault === undefined) return user;
  const name = typeof user.name === 'string' ? ` (user ${JSON.stringify(user.name)})` : '';
  throw new TypeError(`the user store returned an object that is no user${name}: ${fault}`);
}

function unusable(cause: SecretError): TemporaryFailure {
  return new TemporaryFailure(cause.message, { cause });
}
