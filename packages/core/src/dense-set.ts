/** Somebody who can be on a roll. */
export interface Indexed {
  /** Its place there; negative while it is on none. */
  index: number;
}

/**
 * Those who are there, in no order: a Set for whoever comes and goes all the time. A Set that has outgrown its table keeps a way from
 * the old one to the new; once a full collection has met one of them, all that follow, and all who stood in them, stay until the next.
 */
export class DenseSet<T extends Indexed> {
  readonly #members: T[] = [];

  get members(): readonly T[] {
    return this.#members;
  }

  /** Does nothing if it is there already. */
  add(member: T): void {
    if (member.index >= 0) return;
    member.index = this.#members.push(member) - 1;
  }

  /** Does nothing if it is not there. */
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
