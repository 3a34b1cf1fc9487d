import { encodeUtf8, NO_BYTES } from '@postern/sasl';
import {
  AuthenticationFailure,
  SaslFailure,
  type SaslInterface,
  type SaslReply,
  SaslStateMachine,
} from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';

const challenge: SaslReply = { state: 'challenge', payload: encodeUtf8('challenge') };
const success: SaslReply = { state: 'success', payload: undefined };
const successWithData: SaslReply = { state: 'success', payload: encodeUtf8('v=signature') };

function setUp(...replies: readonly (SaslReply | Error)[]) {
  const rest = [...replies];
  const said: string[] = [];
  const reply = async (message: string): Promise<SaslReply> => {
    said.push(message);
    const next = rest.shift();
    if (next === undefined) throw new Error('the script has no further reply');
    if (next instanceof Error) throw next;
    return next;
  };
  const saslInterface: SaslInterface = {
    initiate: (mechanism, response) => reply(`${mechanism} ${response ? Buffer.from(response).toString() : '-'}`),
    respond: (response) => reply(Buffer.from(response).toString()),
    abort: async () => void said.push('*'),
  };
  return { machine: new SaslStateMachine(saslInterface), said };
}

describe('SaslStateMachine', () => {
  it('follows an exchange through its states', async () => {
    const { machine, said } = setUp(challenge, success);
    expect(machine.state).toBe('initial');
    expect(await machine.initiate('X')).toEqual(challenge);
    expect(machine.state).toBe('challenge');
    expect(machine.hasReportedSuccess).toBe(false);
    expect(await machine.respond(encodeUtf8('response'))).toEqual(success);
    expect(machine.state).toBe('success');
    expect(machine.hasReportedSuccess).toBe(true);
    expect(said).toEqual(['X -', 'response']);
  });

  it('separates an empty initial response from an absent one', async () => {
    const { machine, said } = setUp(success);
    await machine.initiate('X', NO_BYTES);
    expect(said).toEqual(['X ']);
  });

  it('turns additional data into a last challenge, whose empty response it does not send', async () => {
    const { machine, said } = setUp(successWithData);
    expect(await machine.initiate('X')).toEqual({ state: 'challenge', payload: encodeUtf8('v=signature') });
    expect(machine.state).toBe('unfolded');
    expect(machine.hasReportedSuccess).toBe(true);
    expect(await machine.respond(NO_BYTES)).toEqual(success);
    expect(machine.state).toBe('success');
    expect(said).toEqual(['X -']);
  });

  it('fails if the mechanism answers after success', async () => {
    const { machine, said } = setUp(successWithData);
    await machine.initiate('X');
    await expect(machine.respond(encodeUtf8('more'))).rejects.toThrow(SaslFailure);
    expect(machine.state).toBe('failure');
    expect(said).toEqual(['X -']);
  });

  it.each([new AuthenticationFailure(), new SaslFailure('no'), new Error('connection reset')])(
    'fails as the interface does: %s',
    async (error) => {
      const { machine } = setUp(error);
      await expect(machine.initiate('X')).rejects.toBe(error);
      expect(machine.state).toBe('failure');
      await expect(machine.respond(NO_BYTES)).rejects.toThrow(SaslFailure);
    },
  );

  it('cancels an exchange', async () => {
    const { machine, said } = setUp(challenge);
    await machine.initiate('X');
    await machine.abort();
    expect(machine.state).toBe('aborted');
    expect(said).toEqual(['X -', '*']);
  });

  it("does not cancel after the server's success", async () => {
    const { machine, said } = setUp(successWithData);
    await machine.initiate('X');
    await expect(machine.abort()).rejects.toThrow(SaslFailure);
    expect(machine.state).toBe('failure');
    expect(said).toEqual(['X -']);
  });

  it('rejects each call out of order', async () => {
    const { machine, said } = setUp(challenge, success);
    await expect(machine.respond(NO_BYTES)).rejects.toThrow(SaslFailure);
    await expect(machine.abort()).rejects.toThrow(SaslFailure);
    const begun = machine.initiate('X');
    const meanwhile = [machine.initiate('X'), machine.respond(NO_BYTES), machine.abort()];
    for (const { status } of await Promise.allSettled(meanwhile)) expect(status).toBe('rejected');
    await begun;
    await machine.respond(NO_BYTES);
    await expect(machine.respond(NO_BYTES)).rejects.toThrow(SaslFailure);
    await expect(machine.abort()).rejects.toThrow(SaslFailure);
    expect(said).toEqual(['X -', '']);
  });
});
