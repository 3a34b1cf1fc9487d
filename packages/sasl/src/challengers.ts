import { anonymous } from './anonymous/challenger.ts';
import { type ChannelBindingPolicy, omittedByPolicy } from './binding-policy.ts';
import type { Challenger } from './challenger.ts';
import { checkChallengers } from './challenger-list.ts';
import { cramMd5 } from './cram-md5/challenger.ts';
import { type DigestMd5Options, digestMd5 } from './digest-md5/challenger.ts';
import { external } from './external/challenger.ts';
import { type LoginOptions, login } from './login/challenger.ts';
import { type OAuthBearerOptions, oauthBearer } from './oauthbearer/challenger.ts';
import { plain } from './plain/challenger.ts';
import type { ScramOptions } from './scram/challenger.ts';
import { scramFamily } from './scram/family.ts';
import { byStrength } from './strength.ts';
import { type XOAuth2Options, xoauth2 } from './xoauth2/challenger.ts';

/** The options of the mechanisms, and the choice among them. */
export interface ChallengersOptions {
  /** The fully qualified name of this host. */
  readonly hostname: string;
  readonly login?: LoginOptions;
  readonly digestMd5?: Partial<DigestMd5Options>;
  readonly oauth?: OAuthBearerOptions & XOAuth2Options;
  readonly scram?: Omit<ScramOptions, 'hash' | 'plus' | 'plusOffered' | 'onlyWithoutTls'>;
  /**
   * The names of the mechanisms to offer, exactly. Default: all but the historic ones, as
   * `channelBinding` says. {@link excludedClients} names the common clients that a list excludes.
   */
  readonly mechanisms?: readonly string[];
  /**
   * The use of channel binding, where `mechanisms` is absent. Default: `off`, with which each
   * common client logs in.
   */
  readonly channelBinding?: ChannelBindingPolicy;
}

/**
 * Returns the challengers to offer, the strongest first, in any order of `mechanisms`. `offered`
 * selects those that one connection is offered.
 *
 * @throws TypeError for an unknown mechanism, and for one that cannot bind where binding is
 * required.
 *
 * @example
 * ```ts
 * import { defaultChallengers } from '@postern/sasl';
 *
 * const mechanisms = ['PLAIN', 'SCRAM-SHA-256'];
 * const challengers = defaultChallengers({ hostname: 'mail.example.com', mechanisms });
 * console.log(challengers.map(({ mechanism }) => mechanism).join(' '));
 * ```
 */
export function defaultChallengers(options: ChallengersOptions): readonly Challenger[] {
  const { mechanisms = [], channelBinding = 'off' } = options;
  const all = allChallengers(options);
  const byName = new Map(all.map((challenger) => [challenger.mechanism, challenger]));
  for (const name of mechanisms) {
    const challenger = byName.get(name);
    if (challenger === undefined) {
      throw new TypeError(
        `mechanisms: unknown mechanism ${JSON.stringify(name)}; expected some of ${[...byName.keys()].join(', ')}`,
      );
    }
    if (channelBinding === 'required' && !challenger.bindsToChannel) {
      throw new TypeError(`mechanisms: ${name} does not bind to the channel, which channelBinding 'required' demands`);
    }
  }
  return all.filter((challenger) => explainOmission(challenger, options) === undefined);
}

/**
 * Returns why {@link defaultChallengers} omits a challenger of {@link allChallengers}, in words for
 * the operator. Returns undefined if it does not.
 */
export function explainOmission(
  challenger: Challenger,
  { mechanisms, channelBinding = 'off' }: ChallengersOptions,
): string | undefined {
  if (mechanisms !== undefined) {
    return mechanisms.includes(challenger.mechanism) ? undefined : 'not among the mechanisms wanted';
  }
  return omittedByPolicy(challenger, channelBinding) ?? (challenger.isHistoric ? 'has to be named' : undefined);
}

/**
 * Returns the challenger of each mechanism of this package, the strongest first, also of those that
 * the options omit.
 */
export function allChallengers(options: ChallengersOptions): readonly Challenger[] {
  const { hostname, oauth, mechanisms, channelBinding = 'off' } = options;
  const plusOffered =
    mechanisms === undefined
      ? channelBinding !== 'off'
      : (mechanism: string) => mechanisms.includes(`${mechanism}-PLUS`);
  // The one list: a new mechanism adds a line.
  const challengers: Challenger[] = [
    ...scramFamily(options.scram, plusOffered),
    external(),
    oauthBearer(oauth),
    xoauth2(oauth),
    digestMd5({ realm: hostname, ...options.digestMd5 }),
    cramMd5({ hostname }),
    plain(),
    login(options.login),
    anonymous(),
  ];
  return checkChallengers(challengers.sort(byStrength));
}

/** Returns the names of all mechanisms of this package, the strongest first. */
export function mechanismNames(): readonly string[] {
  return allChallengers({ hostname: 'localhost' }).map(({ mechanism }) => mechanism);
}
