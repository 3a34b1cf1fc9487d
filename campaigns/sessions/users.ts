/** The number of sessions at a time. */
export const SLOTS = 16;

/** Returns the user whose maildrop the sessions of one slot read. */
export function userOfSlot(slot: number): string {
  return `user${slot}@example.com`;
}

/** Returns the slot of a user. */
export function slotOf(user: string): number {
  return Number(/^user(\d+)@/.exec(user)?.[1]);
}

/** All users of the server. Ann sends mail. */
export const USERS: readonly string[] = ['ann', ...Array.from({ length: SLOTS }, (_, slot) => userOfSlot(slot))];
