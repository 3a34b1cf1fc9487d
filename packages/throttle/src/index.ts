export { type FailureCounts, InMemoryFailureCounts } from './failure-counts.ts';
export { type SendUpdate, type ThrottleChannel, ThrottleHub } from './throttle-hub.ts';
export type { ThrottleLimit } from './throttle-limits.ts';
export type { ThrottleChange, ThrottleReport, ThrottleUpdate } from './throttle-messages.ts';
export { ThrottleReplica, type ThrottleReplicaOptions } from './throttle-replica.ts';
export { type ThrottleOptions, withThrottle } from './with-throttle.ts';
