/** An object that can be a member of one {@link DenseSet}. */
export interface Indexed {
  /** The position in the set; -1 outside of it. Only the set writes it. */
  index: number;
}

/**
 * An unordered set with O(1) `add` and `delete` that leaves no garbage behind. A `Set` with many
 * additions and deletions does: V8 links each outgrown table to its successor. Once one table is in
 * the old generation, all later tables and their members stay until the next full collection.
 */
export class DenseSet<T extends Indexed> {
  readonly #members: T[] = [];

  /** The members in no particular order. `add` and `delete` change this array. */
  get members(): readonly T[] {
    return this.#members;
  }

  /** Adds the member, unless it is in the set already. */
  add(member: T): void {
    if (member.index >= 0) return;
    member.index = this.#members.push(member) - 1;
  }

  /** Deletes the member if it is in the set. */
  delete(member: T): void {
    const { index } = member;
    if (index < 0) return;
    member.index = -1;
    const last = this.#members.pop();
    if (last === undefined || last === member) return;
    this.#members[index] = last;
    last.index = index;
  }
}
