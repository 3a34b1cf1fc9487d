/**
 * Members that wait, each in the lane of its key. The lanes take turns, so that a key with many members
 * delays the others by one member only.
 */
export class Turns<T> {
  readonly #lanes = new Map<string, Set<T>>();
  #size = 0;

  /** The number of members in all lanes. */
  get size(): number {
    return this.#size;
  }

  /** Adds a member at the end of its lane. */
  add(key: string, member: T): void {
    const lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, new Set([member]));
    else lane.add(member);
    this.#size++;
  }

  /** Removes a member. Returns false if it does not wait any more. */
  delete(key: string, member: T): boolean {
    const lane = this.#lanes.get(key);
    if (lane === undefined || !lane.delete(member)) return false;
    if (lane.size === 0) this.#lanes.delete(key);
    this.#size--;
    return true;
  }

  /**
   * Removes and returns the first member of the first lane whose first member is accepted; that lane
   * goes behind the others.
   */
  next(accept: (member: T) => boolean): T | undefined {
    for (const [key, lane] of this.#lanes) {
      const [first] = lane as Iterable<T>;
      if (first === undefined || !accept(first)) continue;
      this.#lanes.delete(key);
      lane.delete(first);
      if (lane.size > 0) this.#lanes.set(key, lane);
      this.#size--;
      return first;
    }
    return undefined;
  }
}
