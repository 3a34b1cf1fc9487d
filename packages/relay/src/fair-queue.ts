/**
 * A queue that serves its keys in turn: a key with many members delays another key by one member
 * only. The members of one key keep their order.
 */
export class FairQueue<T> {
  readonly #byKey = new Map<string, Set<T>>();
  #size = 0;

  /** The number of members. */
  get size(): number {
    return this.#size;
  }

  /** Adds a member after the others of its key. */
  add(key: string, member: T): void {
    const members = this.#byKey.get(key);
    if (members === undefined) this.#byKey.set(key, new Set([member]));
    else members.add(member);
    this.#size++;
  }

  /** Removes a member. Returns false if the queue does not have it. */
  delete(key: string, member: T): boolean {
    const members = this.#byKey.get(key);
    if (members === undefined || !members.delete(member)) return false;
    if (members.size === 0) this.#byKey.delete(key);
    this.#size--;
    return true;
  }

  /**
   * Removes and returns the first member of the first key whose first member is accepted. That key
   * moves behind the others.
   */
  next(accept: (member: T) => boolean): T | undefined {
    for (const [key, members] of this.#byKey) {
      const [first] = members as Iterable<T>;
      if (first === undefined || !accept(first)) continue;
      this.#byKey.delete(key);
      members.delete(first);
      if (members.size > 0) this.#byKey.set(key, members);
      this.#size--;
      return first;
    }
    return undefined;
  }
}
