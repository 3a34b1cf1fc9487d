import { anonymous } from './anonymous/challenger.ts';
import type { Challenger } from './challenger.ts';
import { cramMd5 } from './cram-md5/challenger.ts';
import { type DigestMd5Options, digestMd5 } from './digest-md5/challenger.ts';
import { external } from './external/challenger.ts';
import { type LoginOptions, login } from './login/challenger.ts';
import { checkChallengers } from './mechanism-name.ts';
import { type OAuthBearerOptions, oauthBearer } from './oauthbearer/challenger.ts';
import { plain } from './plain/challenger.ts';
import { type ScramOptions, scram } from './scram/challenger.ts';
import { SCRAM_HASHES, type ScramHash } from './scram/hashes.ts';
import { type XOAuth2Options, xoauth2 } from './xoauth2/challenger.ts';

/** What the mechanisms of the family need to know, and which of them are wanted. */
export interface ChallengersOptions {
  /** The fully qualified name of this host. */
  readonly hostname: string;
  readonly login?: LoginOptions;
  readonly digestMd5?: Partial<DigestMd5Options>;
  readonly oauth?: OAuthBearerOptions & XOAuth2Options;
  readonly scram?: Omit<ScramOptions, 'hash' | 'plus' | 'plusOffered'>;
  /**
   * The names of the mechanisms wanted. Default: all but DIGEST-MD5. Some clients (mutt, and those of Cyrus SASL if left to choose) fail
   * for good where a `-PLUS` mechanism is offered: for them, name those without.
   */
  readonly mechanisms?: readonly string[];
}

/**
 * The challengers of the family, in the order in which a server should name them: the stronger first, whatever the order of
 * `mechanisms`. Which of them a connection is offered, `offered` decides. Throws a TypeError if a mechanism wanted is not known.
 */
export function challengers(options: ChallengersOptions): readonly Challenger[] {
  const known = knownChallengers(options);
  const wanted = new Set(wantedOf(options, known));
  const chosen = known.filter(({ mechanism }) => wanted.delete(mechanism));
  if (wanted.size > 0) {
    const unknown = Array.from(wanted, (name) => JSON.stringify(name)).join(', ');
    throw new TypeError(
      `unknown mechanism ${unknown}: known are ${known.map(({ mechanism }) => mechanism).join(', ')}`,
    );
  }
  return chosen;
}

/** The whole family, in the same order, whether wanted or not. The one list: a new mechanism adds a line. */
export function knownChallengers(options: ChallengersOptions): readonly Challenger[] {
  const { hostname } = options;
  return checkChallengers([
    ...STRONGEST_FIRST.map((hash) => scram({ ...options.scram, hash, plus: true })),
    external(),
    ...STRONGEST_FIRST.map((hash) => scram({ ...options.scram, hash, plusOffered: wantsPlus(options, hash) })),
    oauthBearer(options.oauth),
    xoauth2(options.oauth),
    digestMd5({ realm: hostname, ...options.digestMd5 }),
    cramMd5({ hostname }),
    plain(),
    login(options.login),
    anonymous(),
  ]);
}

function wantedOf({ mechanisms }: ChallengersOptions, known: readonly Challenger[]): readonly string[] {
  return mechanisms ?? known.map(({ mechanism }) => mechanism).filter((name) => !ONLY_IF_NAMED.has(name));
}

function wantsPlus({ mechanisms }: ChallengersOptions, hash: ScramHash): boolean {
  return mechanisms?.includes(`${SCRAM_HASHES[hash].mechanism}-PLUS`) ?? true;
}

const STRONGEST_FIRST = (Object.keys(SCRAM_HASHES) as ScramHash[]).reverse();
/** What a server has to ask for: DIGEST-MD5 is historic (RFC 6331), and some clients prefer it to all else. */
const ONLY_IF_NAMED: ReadonlySet<string> = new Set(['DIGEST-MD5']);
