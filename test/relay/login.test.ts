import { RelayDelivery, type SmarthostOptions } from '@postern/relay';
import { AuthenticationFailure, loginResponder, plainResponder } from '@postern/sasl/client';
import { FakeClock } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { ann, deliver, envelope, greeting, HELLO, name, scripted, TO_ANN } from './upstream.ts';

const user = { username: 'joe', password: 's3cret' };
const AUTH = `${greeting('AUTH PLAIN LOGIN')}\nC: AUTH PLAIN AGpvZQBzM2NyZXQ=`;
const REFUSED = `${AUTH}\nS: 535-5.7.8 wrong\nS: 535 5.7.8 password`;
const SENT = `${AUTH}\nS: 235 2.7.0 ok${TO_ANN.replace('example.com>', 'example.com> AUTH=<>')}${HELLO}`;

function loggingIn(scripts: readonly string[], options: Partial<SmarthostOptions> = {}) {
  const clock = new FakeClock();
  const responders = [plainResponder(user), loginResponder(user)];
  return { clock, ...scripted(scripts, { responders, allowCleartext: true, clock, ...options }) };
}

const MISCONFIGURED = { reply: { code: 451, enhanced: '4.3.5' } };

describe('a login that the next server refuses', () => {
  it('is attempted again only after the delay', async () => {
    const { clock, delivery, troubles, over } = loggingIn([REFUSED, SENT], { loginFailureDelay: 60_000 });
    for (let count = 0; count < 3; count++) {
      await expect(name(delivery, envelope([ann]))).rejects.toMatchObject(MISCONFIGURED);
    }
    await clock.advance(59_000);
    await expect(name(delivery, envelope([ann]))).rejects.toMatchObject(MISCONFIGURED);
    await clock.advance(2_000);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(troubles).toMatchObject([
      {
        message: 'the next server refuses the login, which is tried again after 60 s',
        cause: { message: 'the server replied 535-5.7.8 wrong\n535 5.7.8 password' },
      },
    ]);
    await over();
  });

  it('is attempted once by parallel messages', async () => {
    const waiting = `${greeting('AUTH PLAIN LOGIN')}\nC: <closed>`;
    const { smarthost, troubles, over } = loggingIn([REFUSED, waiting, waiting]);
    const three = [ann, ann, ann].map((to) => name(new RelayDelivery(smarthost), envelope([to])));
    const refused = { status: 'rejected', reason: MISCONFIGURED };
    expect(await Promise.allSettled(three)).toMatchObject([refused, refused, refused]);
    expect(troubles).toHaveLength(1);
    await over();
  });

  it('is attempted again at once with a delay of 0', async () => {
    const { delivery, troubles, over } = loggingIn([REFUSED, SENT], { loginFailureDelay: 0 });
    await expect(name(delivery, envelope([ann]))).rejects.toMatchObject(MISCONFIGURED);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(troubles).toMatchObject([{ cause: expect.any(AuthenticationFailure) }]);
    await over();
  });

  it('causes no delay if the refusal is temporary', async () => {
    const busy = `${AUTH}\nS: 421 4.7.0 too many connections`;
    const { delivery, troubles, over } = loggingIn([busy, SENT]);
    await expect(name(delivery, envelope([ann]))).rejects.toMatchObject({ reply: { code: 451, enhanced: '4.4.1' } });
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    expect(troubles).toMatchObject([{ cause: { message: 'AUTH was refused: 421 4.7.0 too many connections' } }]);
    await over();
  });

  it('has a delay of 0 or more', () => {
    expect(() => loggingIn([], { loginFailureDelay: -1 })).toThrow(RangeError);
  });
});

describe('logins that succeed', () => {
  it('run in parallel after the first one has succeeded', async () => {
    const { smarthost, over } = loggingIn([SENT, SENT, SENT]);
    const three = [ann, ann, ann].map((to) => deliver(new RelayDelivery(smarthost), envelope([to])));
    expect(await Promise.all(three)).toEqual([[250], [250], [250]]);
    await over();
  });
});

describe('the name in EHLO', () => {
  it.each<[string, Partial<SmarthostOptions>]>([
    ['relay.example.com', { hostname: 'relay.example.com' }],
    ['[192.0.2.1]', { hostname: 'laptop' }],
    ['laptop', { hostname: 'relay.example.com', ehlo: 'laptop' }],
  ])('is %s of %j', async (ehlo, options) => {
    const script = `${greeting().replace('relay.example.com', ehlo)}${TO_ANN}${HELLO}`;
    const { delivery, over } = scripted([script], options);
    expect(await deliver(delivery, envelope([ann]))).toEqual([250]);
    await over();
  });
});
