import { type AvatarId, disconnectionOf, type Mind, TemporaryFailure, withDeadline } from '@postern/cred';
import { FakeClock, settle, testMind } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { checking, joe, Mailbox, portalOf } from './portal-support.ts';

function listening() {
  const listener = { calls: 0, onDisconnect: () => void listener.calls++ };
  return listener;
}

/** Returns a portal whose checker does not answer, and the minds that the checker got. */
function hanging() {
  const minds: Mind[] = [];
  const answer = Promise.withResolvers<AvatarId>();
  const checker = checking((_credentials, mind) => {
    minds.push(mind);
    return answer.promise;
  });
  return { minds, checker, answer };
}

describe('disconnectionOf', () => {
  it('follows the signal of a mind that has no disconnection', () => {
    const connection = new AbortController();
    const mind = testMind({ signal: connection.signal });
    const [told, removed] = [listening(), listening()];
    disconnectionOf(mind).addDisconnectListener(told);
    const other = disconnectionOf(mind);
    other.addDisconnectListener(removed);
    other.removeDisconnectListener(removed);
    connection.abort();
    const late = listening();
    disconnectionOf(mind).addDisconnectListener(late);
    expect([told.calls, removed.calls, late.calls]).toEqual([1, 0, 1]);
  });

  it('calls a listener of a checker when the client disconnects', async () => {
    const clock = new FakeClock();
    const connection = new AbortController();
    const { checker, minds } = hanging();
    const login = portalOf(checker, { clock }).login(joe(), testMind({ signal: connection.signal }), Mailbox);
    const refused = expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    const listener = listening();
    disconnectionOf(minds[0] as Mind).addDisconnectListener(listener);
    connection.abort();
    await refused;
    expect(listener.calls).toBe(1);
  });

  it('calls a listener of a checker at the timeout of the login, and at once after it', async () => {
    const clock = new FakeClock();
    const { checker, minds } = hanging();
    const login = portalOf(checker, { clock, loginTimeout: 5_000 }).login(joe(), testMind(), Mailbox);
    const refused = expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    const disconnection = disconnectionOf(minds[0] as Mind);
    const [listener, late] = [listening(), listening()];
    disconnection.addDisconnectListener(listener);
    await clock.advance(4_999);
    expect(listener.calls).toBe(0);
    await clock.advance(1);
    await refused;
    disconnection.addDisconnectListener(late);
    expect([listener.calls, late.calls]).toEqual([1, 1]);
  });

  it('calls a listener behind a checker with a deadline at the timeout of the whole login', async () => {
    const clock = new FakeClock();
    const { checker, minds } = hanging();
    const inner = withDeadline(checker, 9_000, clock);
    const login = portalOf(inner, { clock, loginTimeout: 5_000 }).login(joe(), testMind(), Mailbox);
    const refused = expect(login).rejects.toBeInstanceOf(TemporaryFailure);
    const listener = listening();
    disconnectionOf(minds[0] as Mind).addDisconnectListener(listener);
    await clock.advance(5_000);
    await refused;
    expect(listener.calls).toBe(1);
    await settle();
    expect(clock.pending).toBe(0);
  });

  it('leaves a listener to the connection until the logout', async () => {
    const clock = new FakeClock();
    const connection = new AbortController();
    const { checker, minds, answer } = hanging();
    const login = portalOf(checker, { clock }).login(joe(), testMind({ signal: connection.signal }), Mailbox);
    const listener = listening();
    disconnectionOf(minds[0] as Mind).addDisconnectListener(listener);
    answer.resolve('joe');
    await login;
    connection.abort();
    expect(listener.calls).toBe(1);
  });
});
