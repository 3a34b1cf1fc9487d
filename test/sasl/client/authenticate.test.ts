import { allChallengers, encodeUtf8, NO_BYTES } from '@postern/sasl';
import {
  AuthenticationFailure,
  anonymousResponder,
  authenticate,
  type Channel,
  cramMd5Responder,
  externalResponder,
  loginResponder,
  plainResponder,
  type Responder,
  SaslFailure,
  type SaslInterface,
  type SaslReply,
  scramResponder,
} from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { someTls } from '../exchange.ts';

const user = { username: 'tim', password: 'secret' };
const secure = { secure: true };
const SUCCESS: SaslReply = { state: 'success', payload: undefined };

/**
 * Returns a server that answers `initiate` by mechanism and all else with success, and a record of
 * what it received.
 */
function server(replies: Readonly<Record<string, SaslReply | Error>> = {}, aborted?: Error) {
  const heard: string[] = [];
  const saslInterface: SaslInterface = {
    async initiate(mechanism) {
      heard.push(mechanism);
      const reply = replies[mechanism] ?? SUCCESS;
      if (reply instanceof Error) throw reply;
      return reply;
    },
    async respond(response) {
      heard.push(`> ${Buffer.from(response).toString()}`);
      return SUCCESS;
    },
    async abort() {
      heard.push('*');
      if (aborted !== undefined) throw aborted;
    },
  };
  return { heard, saslInterface };
}

function responder(mechanism: string, more: Partial<Responder> = {}): Responder {
  return { mechanism, exposesSecret: false, respond: async (say) => void (await say(NO_BYTES)), ...more };
}

/** Returns a responder that fails at the first challenge. */
function quitter(mechanism: string, error: Error): Responder {
  const respond: Responder['respond'] = async (say) => {
    await say(undefined);
    throw error;
  };
  return responder(mechanism, { respond });
}

const CHALLENGE: SaslReply = { state: 'challenge', payload: NO_BYTES };

const STRENGTHS: ReadonlyMap<string, Partial<Responder>> = new Map(
  allChallengers({ hostname: 'localhost' }).map(({ mechanism, strength = 0 }) => [mechanism, { strength }]),
);

async function chosen(mechanisms: readonly string[], options = {}): Promise<string> {
  const { saslInterface } = server();
  const responders = mechanisms.map((mechanism) => responder(mechanism, STRENGTHS.get(mechanism)));
  return (await authenticate(responders, mechanisms, saslInterface, { ...secure, ...options })).mechanism;
}

describe('the choice', () => {
  it.each([
    [['SCRAM-SHA-512', 'SCRAM-SHA-1-PLUS'], 'SCRAM-SHA-1-PLUS'],
    [['SCRAM-SHA-1-PLUS', 'SCRAM-SHA-256-PLUS'], 'SCRAM-SHA-256-PLUS'],
    [['SCRAM-SHA-1', 'SCRAM-SHA-256', 'SCRAM-SHA-512'], 'SCRAM-SHA-512'],
    [['PLAIN', 'CRAM-MD5'], 'CRAM-MD5'],
    [['ANONYMOUS', 'LOGIN', 'PLAIN'], 'PLAIN'],
    [['PLAIN', 'X-CUSTOM'], 'X-CUSTOM'],
    [['SCRAM-SHA-1', 'X-CUSTOM'], 'SCRAM-SHA-1'],
  ])('among %j is %s', async (mechanisms, expected) => {
    expect(await chosen(mechanisms)).toBe(expected);
    expect(await chosen(mechanisms.toReversed())).toBe(expected);
  });

  it('places an unknown mechanism with its kind', async () => {
    const { saslInterface, heard } = server();
    const showing = responder('X-SHOWING', { exposesSecret: true });
    await authenticate([plainResponder(user), showing], ['PLAIN', 'X-SHOWING'], saslInterface, secure);
    await authenticate([showing, responder('CRAM-MD5')], ['CRAM-MD5', 'X-SHOWING'], saslInterface, secure);
    expect(heard).toEqual(['X-SHOWING', 'CRAM-MD5']);
  });

  it('is the first responder with prefer: order', async () => {
    expect(await chosen(['PLAIN', 'SCRAM-SHA-256'], { prefer: 'order' })).toBe('PLAIN');
  });

  it('ignores the case of the offered names', async () => {
    const { saslInterface, heard } = server();
    const responders = [cramMd5Responder(user), plainResponder(user)];
    await authenticate(responders, ['Login', 'Plain'], saslInterface, secure);
    expect(heard).toEqual(['PLAIN']);
  });

  it('rejects if both sides have no mechanism in common', async () => {
    const { saslInterface, heard } = server();
    await expect(authenticate([plainResponder(user)], ['GSSAPI'], saslInterface, secure)).rejects.toThrow(SaslFailure);
    await expect(authenticate([], [], saslInterface)).rejects.toThrow(SaslFailure);
    expect(heard).toEqual([]);
  });

  it('exposes no secret on a channel that is not secure, unless allowCleartext is set', async () => {
    const { saslInterface, heard } = server();
    const responders = [plainResponder(user), loginResponder(user)];
    const offered = ['PLAIN', 'LOGIN'];
    await expect(authenticate(responders, offered, saslInterface)).rejects.toThrow(/not secure/);
    await expect(authenticate(responders, offered, saslInterface, { tls: someTls() })).rejects.toThrow(/not secure/);
    expect(heard).toEqual([]);
    await authenticate(responders, offered, saslInterface, { allowCleartext: true });
    expect(heard).toEqual(['PLAIN']);
  });

  it('skips a mechanism that is unavailable on the channel', async () => {
    const { saslInterface, heard } = server();
    await authenticate([externalResponder(), anonymousResponder()], ['EXTERNAL', 'ANONYMOUS'], saslInterface);
    expect(heard).toEqual(['ANONYMOUS']);
  });

  it('passes the channel to the mechanism', async () => {
    const channels: Channel[] = [];
    const tls = someTls();
    const curious = responder('X', {
      unavailable: (channel) => void channels.push(channel),
      respond: async (say, channel) => {
        channels.push(channel);
        await say(undefined);
      },
    });
    await authenticate([curious], ['X', 'Y'], server().saslInterface, { tls, secure: true });
    expect(channels).toEqual([1, 2].map(() => ({ tls, secure: true, offered: ['X', 'Y'] })));
  });
});

describe('after a failure', () => {
  const responders = [responder('SCRAM-SHA-256'), cramMd5Responder(user), plainResponder(user)];
  const offered = ['SCRAM-SHA-256', 'PLAIN'];

  it('of the protocol the next mechanism follows', async () => {
    const { saslInterface, heard } = server({ 'SCRAM-SHA-256': new SaslFailure('504') });
    expect((await authenticate(responders, offered, saslInterface, secure)).mechanism).toBe('PLAIN');
    expect(heard).toEqual(['SCRAM-SHA-256', 'PLAIN']);
  });

  it('of each mechanism the error has all reasons', async () => {
    const { saslInterface } = server({ 'SCRAM-SHA-256': new SaslFailure('504'), PLAIN: new SaslFailure('454') });
    const exchange = authenticate(responders, offered, saslInterface, secure);
    await expect(exchange).rejects.toThrow(/SCRAM-SHA-256: 504; PLAIN: 454/);
  });

  it('of the credentials no mechanism follows', async () => {
    const refused = new AuthenticationFailure();
    const { saslInterface, heard } = server({ 'SCRAM-SHA-256': refused });
    await expect(authenticate(responders, offered, saslInterface, secure)).rejects.toBe(refused);
    expect(heard).toEqual(['SCRAM-SHA-256']);
  });

  it('of the connection no mechanism follows', async () => {
    const lost = new Error('connection reset');
    const { saslInterface, heard } = server({ 'SCRAM-SHA-256': lost });
    await expect(authenticate(responders, offered, saslInterface, secure)).rejects.toBe(lost);
    expect(heard).toEqual(['SCRAM-SHA-256']);
  });

  it('of the mechanism the exchange is cancelled first', async () => {
    const { saslInterface, heard } = server({ 'SCRAM-SHA-256': CHALLENGE });
    const giver = quitter('SCRAM-SHA-256', new SaslFailure('bad nonce'));
    await authenticate([giver, plainResponder(user)], offered, saslInterface, secure);
    expect(heard).toEqual(['SCRAM-SHA-256', '*', 'PLAIN']);
  });

  it('of the server to prove itself the exchange is cancelled, and no mechanism follows', async () => {
    const { saslInterface, heard } = server({ 'SCRAM-SHA-256': CHALLENGE });
    const giver = quitter('SCRAM-SHA-256', new AuthenticationFailure('bad signature'));
    const exchange = authenticate([giver, plainResponder(user)], offered, saslInterface, secure);
    await expect(exchange).rejects.toThrow('bad signature');
    expect(heard).toEqual(['SCRAM-SHA-256', '*']);
  });

  it('before the first message nothing is cancelled', async () => {
    const { saslInterface, heard } = server();
    const mute = plainResponder({ username: '', password: '' });
    await authenticate([mute, loginResponder(user)], ['PLAIN', 'LOGIN'], saslInterface, secure).catch(() => {});
    expect(heard[0]).toBe('LOGIN');
  });

  it("a server's error on the cancellation is ignored, a lost connection is not", async () => {
    const giver = quitter('SCRAM-SHA-256', new SaslFailure('bad nonce'));
    const both = [giver, plainResponder(user)];
    const grumpy = server({ 'SCRAM-SHA-256': CHALLENGE }, new SaslFailure('what?'));
    expect((await authenticate(both, offered, grumpy.saslInterface, secure)).mechanism).toBe('PLAIN');
    const lost = new Error('connection reset');
    const gone = server({ 'SCRAM-SHA-256': CHALLENGE }, lost);
    await expect(authenticate(both, offered, gone.saslInterface, secure)).rejects.toBe(lost);
  });
});

describe('channel binding', () => {
  const tls = someTls({
    channelBinding: (type) => (type === 'tls-unique' ? undefined : Buffer.from(`data of ${type}`)),
  });
  const joe = { username: 'joe', password: 'pencil' };
  const mitm = new SaslFailure('broken on purpose');
  const bound = (mechanism: string, more: Partial<Responder> = {}): Responder =>
    responder(mechanism, { channelBinding: () => 'tls-exporter', ...more });

  it('that breaks is followed by bound mechanisms only', async () => {
    const { saslInterface, heard } = server({ 'SCRAM-SHA-256-PLUS': mitm, 'SCRAM-SHA-1-PLUS': CHALLENGE });
    const responders = [
      bound('SCRAM-SHA-256-PLUS'),
      { ...quitter('SCRAM-SHA-1-PLUS', mitm), channelBinding: () => 'tls-server-end-point' as const },
      responder('SCRAM-SHA-256'),
      cramMd5Responder(joe),
      plainResponder(joe),
    ];
    const offered = responders.map(({ mechanism }) => mechanism);
    await expect(authenticate(responders, offered, saslInterface, { ...secure, tls })).rejects.toThrow(
      /SCRAM-SHA-256: does not bind.*PLAIN: does not bind/,
    );
    expect(heard).toEqual(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS', '*']);
  });

  it('of a mechanism that failed before its first message does not exclude others', async () => {
    const { saslInterface, heard } = server();
    const mute = bound('SCRAM-SHA-256-PLUS', { respond: () => Promise.reject(new SaslFailure('no such password')) });
    const both = [mute, plainResponder(joe)];
    await authenticate(both, ['SCRAM-SHA-256-PLUS', 'PLAIN'], saslInterface, { ...secure, tls });
    expect(heard).toEqual(['PLAIN']);
  });

  it('uses tls-exporter for one exchange only (RFC 9266 §4.1)', async () => {
    const { saslInterface, heard } = server();
    const first: string[] = [];
    const spying: SaslInterface = {
      ...saslInterface,
      async initiate(mechanism, initialResponse) {
        first.push(Buffer.from(initialResponse ?? []).toString());
        await saslInterface.initiate(mechanism, initialResponse);
        throw mitm;
      },
    };
    const responders = (['sha256', 'sha1'] as const).map((hash) => scramResponder({ ...joe, hash, plus: true }));
    const offered = ['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1-PLUS'];
    await expect(authenticate(responders, offered, spying, { ...secure, tls })).rejects.toThrow(SaslFailure);
    expect(heard).toEqual(offered);
    expect(first.map((message) => message.split(',')[0])).toEqual(['p=tls-exporter', 'p=tls-server-end-point']);
  });
});

describe('success', () => {
  const offered = ['X', 'PLAIN'];

  it('counts only when both sides have ended', async () => {
    const { saslInterface, heard } = server({ X: CHALLENGE });
    const hasty = responder('X');
    await authenticate([hasty, plainResponder(user)], offered, saslInterface, secure);
    expect(heard).toEqual(['X', '*', 'PLAIN']);
  });

  it('of the server that the mechanism rejects ends the attempts', async () => {
    const { saslInterface, heard } = server({ X: { state: 'success', payload: encodeUtf8('forged') } });
    const strict = quitter('X', new SaslFailure('forged'));
    await expect(authenticate([strict, plainResponder(user)], offered, saslInterface, secure)).rejects.toThrow(
      'forged',
    );
    expect(heard).toEqual(['X']);
  });

  it('with additional data is a success for the mechanism too', async () => {
    const { saslInterface, heard } = server({ X: { state: 'success', payload: encodeUtf8('v=signature') } });
    const words: (string | undefined)[] = [];
    const listener = responder('X', {
      respond: async (say) => {
        for (let word = await say(undefined); word !== undefined; word = await say(NO_BYTES)) {
          words.push(Buffer.from(word).toString());
        }
      },
    });
    await authenticate([listener], ['X'], saslInterface);
    expect(words).toEqual(['v=signature']);
    expect(heard).toEqual(['X']);
  });
});
