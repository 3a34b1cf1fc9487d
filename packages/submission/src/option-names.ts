import type { SubmissionOptions } from './submission.ts';

/**
 * Checks that each option has a known name: a misspelt `tls` would leave a server without TLS.
 *
 * @throws TypeError that names the unknown option and all known ones
 */
export function checkOptionNames(options: SubmissionOptions): void {
  const unknown = Object.keys(options).find((name) => !Object.hasOwn(NAMES, name));
  if (unknown === undefined) return;
  throw new TypeError(`unknown option ${JSON.stringify(unknown)}: expected ${Object.keys(NAMES).join(', ')}`);
}

type OptionName<Options = SubmissionOptions> = Options extends unknown ? keyof Options : never;

/** The type requires every option. */
const NAMES: Readonly<Record<OptionName, true>> = {
  listen: true,
  users: true,
  deliver: true,
  deliveryFor: true,
  tls: true,
  hostname: true,
  throttle: true,
  connections: true,
  proxy: true,
  onError: true,
  shutdownTimeout: true,
  authentication: true,
  challengers: true,
  clock: true,
  addMissingHeaders: true,
  lenient: true,
  limits: true,
  logUsernames: true,
  newlines: true,
  mechanismPolicy: true,
  disabledExtensions: true,
  omitClientFromReceived: true,
  onEvent: true,
  requireQualifiedDomains: true,
  removeBcc: true,
  trustAuthParameter: true,
  xclient: true,
};
