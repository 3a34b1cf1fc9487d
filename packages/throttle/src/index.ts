export { type FailureCounts, InMemoryFailureCounts } from './failure-counts.ts';
export { type ThrottleLimit, type ThrottleOptions, withThrottle } from './with-throttle.ts';
