import type { AnyChecker } from './checker.ts';
import type { Credentials } from './credentials.ts';
import { type Interface, isDerived } from './interface.ts';

/**
 * Routes credentials to the checker that is registered for their class. The lists of the checkers
 * may change, so each question compares them first, by reference.
 */
export class CheckerRoutes {
  readonly #registrations: Registration[] = [];
  /** The checker of each class, by the lists that the checkers had when they were last compared. */
  #checkers: ReadonlyMap<Interface, AnyChecker> = new Map();
  #interfaces: readonly Interface<Credentials>[] = [];
  /** Caches the search of `checkerFor`, for each class that was asked about. */
  readonly #found = new Map<Interface, AnyChecker | undefined>();

  /**
   * Registers the checker for these classes. None: all classes that it names, now and later.
   *
   * @throws TypeError if the checker does not judge one of the classes, or if a class already has a
   * checker.
   */
  add(checker: AnyChecker, only: readonly Interface[]): void {
    this.#followCheckers();
    const { credentialInterfaces } = checker;
    const registered: readonly Interface[] = only.length > 0 ? only : credentialInterfaces;
    if (registered.length === 0)
      throw new TypeError('the checker names no class of credentials in credentialInterfaces');
    for (const credentialInterface of registered) {
      if (!credentialInterfaces.some((theirs) => isDerived(credentialInterface, theirs))) {
        throw new TypeError(`the checker does not judge ${credentialInterface.name}`);
      }
      if (this.#checkers.has(credentialInterface)) {
        throw new TypeError(
          `a checker for ${credentialInterface.name} is registered already: join the two in a CascadingChecker`,
        );
      }
    }
    this.#registrations.push({ checker, only, known: credentialInterfaces });
    this.#route();
  }

  /**
   * The classes with a checker, in the order of their registration: frozen, and the same array
   * while the routes are unchanged.
   */
  get interfaces(): readonly Interface<Credentials>[] {
    this.#followCheckers();
    return this.#interfaces;
  }

  /** Finds the checker of the most derived class, whatever the order of registration. */
  checkerFor(credentials: object): AnyChecker | undefined {
    this.#followCheckers();
    const credentialInterface = credentials.constructor as Interface;
    const known = this.#found.get(credentialInterface);
    if (known !== undefined || this.#found.has(credentialInterface)) return known;
    let checker: AnyChecker | undefined;
    for (let prototype = credentials; prototype !== null; prototype = Object.getPrototypeOf(prototype)) {
      checker = this.#checkers.get(prototype.constructor as Interface);
      if (checker !== undefined) break;
    }
    this.#found.set(credentialInterface, checker);
    return checker;
  }

  /** Compares references only: EHLO and AUTH call it. */
  #followCheckers(): void {
    for (const { checker, known } of this.#registrations) {
      if (checker.credentialInterfaces === known) continue;
      this.#route();
      return;
    }
  }

  /** Reads the lists of all checkers. A class stays with its checker while the checker names it. */
  #route(): void {
    const named = new Map<AnyChecker, Set<Interface>>();
    for (const registration of this.#registrations) {
      registration.known = registration.checker.credentialInterfaces;
      const interfaces = named.get(registration.checker) ?? new Set();
      for (const credentialInterface of registeredInterfaces(registration)) interfaces.add(credentialInterface);
      named.set(registration.checker, interfaces);
    }
    const checkers = new Map(
      [...this.#checkers].filter(([credentialInterface, checker]) => named.get(checker)?.has(credentialInterface)),
    );
    for (const [checker, interfaces] of named) {
      for (const credentialInterface of interfaces) {
        if (!checkers.has(credentialInterface)) checkers.set(credentialInterface, checker);
      }
    }
    this.#checkers = checkers;
    this.#interfaces = Object.freeze([...checkers.keys()] as Interface<Credentials>[]);
    this.#found.clear();
  }
}

/** A checker, and the classes of credentials that it is registered for. */
interface Registration {
  readonly checker: AnyChecker;
  /** The classes given at the registration. None: all classes that the checker names. */
  readonly only: readonly Interface[];
  /** The checker's list when the portal last read it. */
  known: readonly Interface[];
}

/** Returns the classes of a registration that its checker judges now. */
function registeredInterfaces({ only, known }: Registration): readonly Interface[] {
  if (only.length === 0) return known;
  return only.filter((credentialInterface) => known.some((theirs) => isDerived(credentialInterface, theirs)));
}
