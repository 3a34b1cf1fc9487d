import { DelegatingMind, type Exchange } from '@postern/cred';

/**
 * A mind that notices whether a checker asks the client for more, such as a one-time code. The
 * password alone is then not the whole guess.
 */
export class ObservedMind extends DelegatingMind {
  /** True once a checker has asked. */
  hasAsked = false;

  override get exchange(): Exchange | undefined {
    const exchange = super.exchange;
    if (exchange === undefined) return undefined;
    const { mechanism, ask } = exchange;
    return {
      mechanism,
      ask: (challenge) => {
        this.hasAsked = true;
        return ask(challenge);
      },
    };
  }
}
