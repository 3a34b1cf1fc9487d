import { anonymous } from './anonymous/challenger.ts';
import { bindsToChannel, type ChannelBindingPolicy, leftOutByPolicy, withPolicy } from './binding-policy.ts';
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
   * The names of the mechanisms to offer, exactly. Default: all but DIGEST-MD5, as `channelBinding`
   * says. `shutOut` names the common clients that a list shuts out.
   */
  readonly mechanisms?: readonly string[];
  /**
   * How the server uses channel binding, where `mechanisms` does not say it. Default: `off`, with
   * which every common client logs in.
   */
  readonly channelBinding?: ChannelBindingPolicy;
}

/**
 * Returns the challengers to offer, the stronger first, whatever the order of `mechanisms`. `offered`
 * decides which of them a connection is offered.
 *
 * @throws TypeError for an unknown mechanism, and for one that cannot bind where binding is required.
 */
export function defaultChallengers(options: ChallengersOptions): readonly Challenger[] {
  const { mechanisms, channelBinding = 'off' } = options;
  const known = allChallengers(options);
  const names = new Set(known.map(({ mechanism }) => mechanism));
  for (const name of mechanisms ?? []) {
    if (!names.has(name)) {
      throw new TypeError(`unknown mechanism ${JSON.stringify(name)}: known are ${[...names].join(', ')}`);
    }
    if (channelBinding === 'required' && !bindsToChannel(name)) {
      throw new TypeError(`${name} does not bind to the channel, which channelBinding 'required' demands`);
    }
  }
  const chosen = known.filter(({ mechanism }) => whyLeftOut(mechanism, options) === undefined);
  return mechanisms === undefined ? chosen.map((challenger) => withPolicy(challenger, channelBinding)) : chosen;
}

/** Why {@link defaultChallengers} leaves a mechanism of the family out, in words for the operator; undefined if it does not. */
export function whyLeftOut(
  mechanism: string,
  { mechanisms, channelBinding = 'off' }: ChallengersOptions,
): string | undefined {
  if (mechanisms !== undefined) return mechanisms.includes(mechanism) ? undefined : 'not among the mechanisms wanted';
  return leftOutByPolicy(mechanism, channelBinding) ?? (ONLY_IF_NAMED.has(mechanism) ? 'has to be named' : undefined);
}

/** The whole family, in the same order, whether wanted or not. The one list: a new mechanism adds a line. */
export function allChallengers(options: ChallengersOptions): readonly Challenger[] {
  const { hostname } = options;
  return checkChallengers([
    ...STRONGEST_FIRST.map((hash) => scram({ ...options.scram, hash, plus: true })),
    external(),
    ...STRONGEST_FIRST.map((hash) => scram({ ...options.scram, hash, plusOffered: offersPlus(options, hash) })),
    oauthBearer(options.oauth),
    xoauth2(options.oauth),
    digestMd5({ realm: hostname, ...options.digestMd5 }),
    cramMd5({ hostname }),
    plain(),
    login(options.login),
    anonymous(),
  ]);
}

/** The y flag is an attack only where the -PLUS mechanism is offered (RFC 5802 §6). */
function offersPlus(options: ChallengersOptions, hash: ScramHash): boolean {
  return whyLeftOut(`${SCRAM_HASHES[hash].mechanism}-PLUS`, options) === undefined;
}

const STRONGEST_FIRST = (Object.keys(SCRAM_HASHES) as ScramHash[]).reverse();
/** What a server has to ask for: DIGEST-MD5 is historic (RFC 6331), and some clients prefer it to all else. */
const ONLY_IF_NAMED: ReadonlySet<string> = new Set(['DIGEST-MD5']);
