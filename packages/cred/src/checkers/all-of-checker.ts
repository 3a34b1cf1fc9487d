import { type AnyChecker, type AvatarId, askChecker, type Checker, type CredentialsOf } from '../checker.ts';
import type { Credentials } from '../credentials.ts';
import { LoginDenied, type LoginError, TemporaryFailure, UnauthorizedLogin } from '../errors.ts';
import { type Interface, isDerived } from '../interface.ts';
import { type InterfaceList, JoinedInterfaces } from '../joined-interfaces.ts';
import type { Mind } from '../mind.ts';

/**
 * Several factors as one checker: each member has to accept the client, with the same avatar id. It
 * asks all members even after a refusal, so that neither the result nor its time reveals the wrong
 * factor. It remembers nothing between logins. Only one member may verify live credentials such as
 * SCRAM's, because a proof counts once.
 *
 * @example
 * ```ts
 * import { AllOfChecker, checker, UsernamePassword } from '@postern/cred';
 *
 * declare function isRight(username: string, password: string): Promise<boolean>;
 * const password = checker([UsernamePassword], async ({ username, password }) => {
 *   return (await isRight(username, password)) ? username : undefined;
 * });
 * const fromTheOffice = checker([UsernamePassword], ({ username }, { remote }) => {
 *   return remote.address.startsWith('192.0.2.') ? username : undefined;
 * });
 * const users = AllOfChecker.of(password, fromTheOffice);
 * ```
 */
export class AllOfChecker<C extends Credentials> implements Checker<C> {
  readonly #checkers: readonly AnyChecker[];
  readonly #interfaces: JoinedInterfaces<C>;

  private constructor(checkers: readonly AnyChecker[]) {
    this.#checkers = checkers;
    this.#interfaces = new JoinedInterfaces(checkers, commonInterfaces);
    if (this.credentialInterfaces.length === 0) {
      throw new TypeError('these checkers have no class of credentials in common');
    }
  }

  /**
   * Returns a checker of the credentials that all these checkers judge.
   *
   * @throws TypeError if the checkers have no class of credentials in common.
   */
  static of<const K extends readonly AnyChecker[]>(...checkers: K): AllOfChecker<CommonCredentials<K[number]>> {
    return new AllOfChecker(checkers);
  }

  /** The classes of credentials that all members judge now. */
  get credentialInterfaces(): readonly Interface<C>[] {
    return this.#interfaces.current;
  }

  async requestAvatarId(credentials: C, mind: Mind): Promise<AvatarId> {
    const errors: unknown[] = [];
    const avatarIds = new Set<AvatarId>();
    for (const checker of this.#checkers) {
      try {
        avatarIds.add(await askChecker(checker, credentials, mind));
      } catch (error) {
        errors.push(error);
      }
    }
    const [avatarId, ...others] = avatarIds;
    if (errors.length > 0) throw gravestOf(errors);
    if (avatarId === undefined || others.length > 0) {
      throw new UnauthorizedLogin('the factors belong to different users');
    }
    return avatarId;
  }
}

/** Returns the classes that each list contains, or contains a base of. */
function commonInterfaces(lists: readonly InterfaceList[]): readonly Interface[] {
  return [...new Set(lists.flat())].filter((candidate) =>
    lists.every((list) => list.some((judged) => isDerived(candidate, judged))),
  );
}

/**
 * Returns the error that the client may learn of. A refusal is certain whatever else happened. A
 * denial needs all other factors to be right: otherwise it would reveal that they are.
 */
function gravestOf(errors: readonly unknown[]): LoginError {
  const refusal = errors.find((error) => error instanceof UnauthorizedLogin);
  if (refusal !== undefined) return refusal;
  const failure = errors.find((error) => !(error instanceof LoginDenied));
  if (failure !== undefined) {
    return new TemporaryFailure('a factor could not be checked', { cause: failure });
  }
  return errors[0] as LoginDenied;
}

/**
 * The credentials that each checker of a union judges: the intersection. TypeScript infers it as
 * the one argument that many functions accept.
 */
type CommonCredentials<K extends AnyChecker> = (
  K extends unknown
    ? (credentials: CredentialsOf<K>) => void
    : never
) extends (credentials: infer C) => void
  ? C & Credentials
  : never;
