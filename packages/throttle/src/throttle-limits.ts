/** One limit of a throttle. */
export interface ThrottleLimit {
  /** The number of failures within the window after which the checker is not asked any more. */
  readonly failures: number;
  /** The length of the window in milliseconds, counted from the first failure. */
  readonly window: number;
  /**
   * The number of logins that may wait for the verdict at the same time; further logins wait. It
   * bounds parallel guessing. Default: a quarter of `failures`.
   */
  readonly atOnce?: number;
}

/** The limits of a throttle by their names. */
export type Limits<L> = Readonly<Record<LimitName, L>>;

/** The name of a limit. */
export type LimitName = (typeof LIMIT_NAMES)[number];

/** The narrowest limit first: a login that waits there holds no wider key. */
export const LIMIT_NAMES = ['userAndNetwork', 'network', 'site', 'user'] as const;

/**
 * Returns the limits with the defaults of the absent ones. `workers` processes share each `atOnce`,
 * rounded up.
 *
 * @throws RangeError if `failures` or `atOnce` of a limit is below 1, or a window is not positive.
 */
export function withDefaultLimits(
  given: { readonly [L in LimitName]?: ThrottleLimit | undefined },
  workers = 1,
): Limits<Required<ThrottleLimit>> {
  const complete = (name: LimitName): Required<ThrottleLimit> => {
    const { failures, window, atOnce = Math.max(1, failures / 4) } = given[name] ?? DEFAULT_LIMITS[name];
    if (!(failures >= 1 && window > 0 && atOnce >= 1)) {
      throw new RangeError(`${name}: expected failures and atOnce of 1 or more, and a window above 0 milliseconds`);
    }
    return { failures, window, atOnce: Math.ceil(atOnce / workers) };
  };
  return {
    userAndNetwork: complete('userAndNetwork'),
    network: complete('network'),
    site: complete('site'),
    user: complete('user'),
  };
}

const WINDOW_MS = 15 * 60_000;

const DEFAULT_LIMITS: Limits<ThrottleLimit> = {
  userAndNetwork: { failures: 10, window: WINDOW_MS },
  network: { failures: 50, window: WINDOW_MS },
  site: { failures: 500, window: WINDOW_MS },
  user: { failures: 100, window: WINDOW_MS },
};
