import {
  AvatarRealm,
  type Checker,
  type Exchange,
  type MaybePromise,
  type Mind,
  Portal,
  TemporaryFailure,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { authenticate, decodeUtf8, ExchangeCancelled, encodeUtf8, plain } from '@postern/sasl';
import { FakeClock, settle } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { someMind } from './exchange.ts';

class Desk {}

/**
 * Runs a login by PLAIN, with a checker that decides by the exchange, and a client that answers.
 */
function logIn(
  decide: (mind: Mind) => MaybePromise<string>,
  answer: (challenge: string) => MaybePromise<string> = () => '',
  clock = new FakeClock(),
) {
  const checker: Checker<UsernamePassword> = {
    credentialInterfaces: [UsernamePassword],
    requestAvatarId: (_, mind) => decide(mind),
  };
  const portal = new Portal(
    new AvatarRealm().provide(Desk, () => new Desk()),
    { clock, loginTimeout: 1_000 },
  );
  return authenticate({
    challenger: plain(),
    portal: portal.register(checker),
    mind: someMind(),
    interfaces: [Desk],
    initialResponse: encodeUtf8('\0joe\0s3cret'),
    ask: async (challenge) => encodeUtf8(await answer(decodeUtf8(challenge) ?? '')),
    minFailureDelay: 0,
    clock,
  });
}

describe('the exchange in the mind', () => {
  it("has the mechanism's name", async () => {
    const login = await logIn(({ exchange }) => exchange?.mechanism ?? 'none');
    expect(login.avatarId).toBe('PLAIN');
  });

  it('lets a checker send a challenge of its own', async () => {
    const login = await logIn(
      async ({ exchange }) => decodeUtf8(await (exchange as Exchange).ask(encodeUtf8('code?'))) ?? '',
      (challenge) => `answer to ${challenge}`,
    );
    expect(login.avatarId).toBe('answer to code?');
  });

  it('is absent after the verdict, also from a mind or exchange that was kept', async () => {
    let kept: Mind | undefined;
    let exchange: Exchange | undefined;
    await logIn((mind) => {
      kept = mind;
      exchange = mind.exchange;
      return 'joe';
    });
    expect(kept?.exchange).toBeUndefined();
    await expect(exchange?.ask(encodeUtf8('more?'))).rejects.toThrow(TemporaryFailure);
  });

  it('stays broken if the client cancels it, also if the checker catches that', async () => {
    const swallowing = logIn(
      async ({ exchange }) => {
        await exchange?.ask(encodeUtf8('code?')).catch(() => {});
        return 'joe';
      },
      () => Promise.reject(new ExchangeCancelled()),
    );
    await expect(swallowing).rejects.toThrow(ExchangeCancelled);
  });

  it('ends after the answer to a challenge that the checker did not wait for', async () => {
    const answer = Promise.withResolvers<string>();
    const refused = logIn(
      ({ exchange }) => {
        void exchange?.ask(encodeUtf8('code?'));
        throw new UnauthorizedLogin();
      },
      () => answer.promise,
    );
    let over = false;
    const noted = Promise.resolve(refused).catch(() => {
      over = true;
    });
    await settle();
    expect(over).toBe(false);
    answer.resolve('late');
    await noted;
    await expect(refused).rejects.toThrow(UnauthorizedLogin);
  });

  it('ends after the answer to a challenge at the timeout, and sends no further one', async () => {
    const clock = new FakeClock();
    const answers = [Promise.withResolvers<string>()];
    let asked = 0;
    const late = logIn(
      async ({ exchange }) => {
        for (;;) await exchange?.ask(encodeUtf8('again?'));
      },
      () => (answers[asked++] ?? Promise.withResolvers<string>()).promise,
      clock,
    );
    const outcome = expect(late).rejects.toThrow(TemporaryFailure);
    await settle();
    await clock.advance(1_001);
    answers[0]?.resolve('late');
    await outcome;
    expect(asked).toBe(1);
  });
});
