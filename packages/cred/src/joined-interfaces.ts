import type { AnyChecker } from './checker.ts';
import type { Credentials } from './credentials.ts';
import type { Interface } from './interface.ts';

/**
 * The classes of credentials of several checkers together. `current` joins the lists of the
 * checkers again only after one of the checkers has returned another array.
 */
export class JoinedInterfaces<C extends Credentials> {
  readonly #checkers: readonly AnyChecker[];
  readonly #join: (lists: readonly InterfaceList[]) => readonly Interface[];
  #lists: readonly InterfaceList[];
  #joined: readonly Interface<C>[];

  constructor(checkers: readonly AnyChecker[], join: (lists: readonly InterfaceList[]) => readonly Interface[]) {
    this.#checkers = checkers;
    this.#join = join;
    this.#lists = checkers.map(({ credentialInterfaces }) => credentialInterfaces);
    this.#joined = this.#joinLists();
  }

  /** The joined list: frozen, and the same array while the lists are unchanged. */
  get current(): readonly Interface<C>[] {
    for (let index = 0; index < this.#checkers.length; index += 1) {
      if (this.#checkers[index]?.credentialInterfaces !== this.#lists[index]) return this.#update();
    }
    return this.#joined;
  }

  #update(): readonly Interface<C>[] {
    this.#lists = this.#checkers.map(({ credentialInterfaces }) => credentialInterfaces);
    this.#joined = this.#joinLists();
    return this.#joined;
  }

  #joinLists(): readonly Interface<C>[] {
    return Object.freeze(this.#join(this.#lists)) as readonly Interface<C>[];
  }
}

/** The classes of credentials that one checker judges. */
export type InterfaceList = readonly Interface<Credentials>[];
