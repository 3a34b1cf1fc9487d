export { type FailureCounts, InMemoryFailureCounts } from './failure-counts.ts';
export type { ThrottleLimit } from './throttle-limits.ts';
export { type ThrottleOptions, withThrottle } from './with-throttle.ts';
