import { anonymous } from './anonymous/challenger.ts';
import type { Challenger } from './challenger.ts';
import { cramMd5 } from './cram-md5/challenger.ts';
import { external } from './external/challenger.ts';
import { type LoginOptions, login } from './login/challenger.ts';
import { checkChallengers } from './mechanism-name.ts';
import { plain } from './plain/challenger.ts';

/** What the mechanisms of the family need to know, and which of them are wanted. */
export interface ChallengersOptions {
  /** The fully qualified name of this host. */
  readonly hostname: string;
  readonly login?: LoginOptions;
  /** The names of the mechanisms wanted. Default: all but those that are only there if asked for, such as DIGEST-MD5. */
  readonly mechanisms?: readonly string[];
}

/**
 * The challengers of the family, in the order in which a server should name them: the stronger first, whatever the order of
 * `mechanisms`. Which of them a connection is offered, `offered` decides. Throws a TypeError if a mechanism wanted is not known.
 */
export function challengers(options: ChallengersOptions): readonly Challenger[] {
  const known = family(options);
  if (options.mechanisms === undefined) return checkChallengers(known);
  const wanted = new Set(options.mechanisms);
  const chosen = known.filter(({ mechanism }) => wanted.delete(mechanism));
  if (wanted.size > 0) {
    const names = known.map(({ mechanism }) => mechanism).join(', ');
    throw new TypeError(
      `unknown mechanism ${Array.from(wanted, (name) => JSON.stringify(name)).join(', ')}: known are ${names}`,
    );
  }
  return checkChallengers(chosen);
}

/** The one list: a new mechanism adds a line. */
function family({ hostname, login: loginOptions }: ChallengersOptions): readonly Challenger[] {
  return [external(), cramMd5({ hostname }), plain(), login(loginOptions), anonymous()];
}
