/**
 * @internal A change of what the throttles of several processes remember. It contains no name
 * and no password.
 */
export type ThrottleChange =
  | readonly ['failed', key: string, window: number, failures: number]
  | readonly ['reset', key: string]
  | readonly ['guessed', digest: string, window: number]
  | readonly ['known', hashedName: string, network: string];

/** A message from a {@link ThrottleReplica} to its {@link ThrottleHub}. */
export interface ThrottleReport {
  readonly changes: readonly ThrottleChange[];
}

/** A message from a {@link ThrottleHub} to a {@link ThrottleReplica}. */
export interface ThrottleUpdate {
  /** The changes of the other replicas. */
  readonly changes: readonly ThrottleChange[];
  /**
   * Confirms the report of the replica, which has its place before the change with this index.
   * Absent without a report.
   */
  readonly own?: number | undefined;
  /** True if the changes are all that the hub remembers, and replace the counts of the replica. */
  readonly replaces?: boolean;
}
