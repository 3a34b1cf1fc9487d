import { TimedOut } from '@postern/conversation';
import { type Checker, Credentials, type MaybePromise, type Portal, UnauthorizedLogin } from '@postern/cred';
import { type Challenger, cramMd5, encodeUtf8, login, plain } from '@postern/sasl';
import { type DialogueOptions, dialogue, FakeClock, portalFor, settle, TestAvatar } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { type DoorOptions, door } from './door.ts';

const POLICY = {
  undelayedLoginFailures: 1,
  loginFailureDelay: 5_000,
  maxLoginFailures: 3,
  minFailureDelay: 0,
  minChallengeDelay: 0,
};

/** A server with one user, ann, whose password is `secret`. */
class Door {
  readonly clock = new FakeClock();
  readonly refused: string[] = [];
  readonly portal: Portal;
  readonly #options: Partial<DoorOptions>;

  constructor(options: Partial<DoorOptions> = {}) {
    const { clock } = this;
    this.portal =
      options.portal ?? portalFor({ ann: 'secret' }, TestAvatar, (avatarId) => new TestAvatar(avatarId), { clock });
    this.#options = options;
  }

  play(script: string, options: DialogueOptions = {}): Promise<string> {
    const { clock, portal } = this;
    const onRefused: DoorOptions['onRefused'] = ({ code }, username) => void this.refused.push(`${username} ${code}`);
    const challengers = [plain(), login(), cramMd5({ hostname: 'localhost' })];
    const protocol = door({ challengers, policy: POLICY, onRefused, ...this.#options, portal, clock });
    return dialogue(protocol, `S: +OK ready\n${script}`, { tlsPolicy: 'implicit', clock, ...options });
  }
}

const WRONG = 'AUTH PLAIN {base64:\\0ann\\0wrong}';
const RIGHT = 'AUTH PLAIN {base64:\\0ann\\0secret}';

describe('a line protocol with loginOver', () => {
  it('lists the mechanisms, logs users in and leaves wrong passwords behind', async () => {
    const server = new Door();
    await server.play(`
      C: LIST
      S: +OK PLAIN,LOGIN,CRAM-MD5
      C: AUTH KLINGON
      S: -ERR not-offered
      C: AUTH LOGIN
      S: + {base64:Username:}
      C: {base64:ann}
      S: + {base64:Password:}
      C: *
      S: -ERR cancelled
      C: AUTH LOGIN
      S: + {base64:Username:}
      C: {repeat:41:Q}
      S: -ERR malformed
      C: AUTH PLAIN {repeat:41:Q}
      S: -ERR malformed
      C: ${WRONG}
      S: -ERR unauthorized
      C: ${WRONG}
      C: <advance 4999ms>
      S: <silence>
      C: <advance 1ms>
      S: -ERR unauthorized
      C: auth plain
      S: -ERR unknown command
      C: ${RIGHT}
      S: +OK hello ann
      C: QUIT
      S: +OK bye
      S: <closed>`);
    expect(server.refused).toEqual([
      'undefined cancelled',
      'undefined malformed',
      'undefined malformed',
      'ann unauthorized',
      'ann unauthorized',
    ]);
  });

  it('offers a password mechanism only under TLS, and says so', async () => {
    await new Door().play(
      `
      C: LIST
      S: +OK CRAM-MD5
      C: ${RIGHT}
      S: -ERR needs-tls`,
      { tlsPolicy: 'none' },
    );
  });

  it('closes the connection after the last failure that the policy allows', async () => {
    const policy = { ...POLICY, undelayedLoginFailures: 3 };
    await new Door({ policy }).play(`
      C: ${WRONG}
      S: -ERR unauthorized
      C: ${WRONG}
      S: -ERR unauthorized
      C: ${WRONG}
      S: -ERR unauthorized
      S: <closed>`);
  });

  it('answers a wrong password no sooner than minFailureDelay', async () => {
    await new Door({ policy: { ...POLICY, minFailureDelay: 250 } }).play(`
      C: ${WRONG}
      C: <advance 249ms>
      S: <silence>
      C: <advance 1ms>
      S: -ERR unauthorized`);
  });

  it('separates an absent from an empty initial response', async () => {
    await new Door().play(`
      C: AUTH PLAIN =
      S: -ERR malformed
      C: AUTH PLAIN
      S: + ${''}
      C: =
      S: -ERR malformed`);
  });

  it('accepts base64 without padding where the protocol allows it', async () => {
    await new Door({ allowUnpadded: true }).play(`
      C: AUTH PLAIN AGFubgBzZWNyZXQ
      S: +OK hello ann`);
    await new Door().play(`
      C: AUTH PLAIN AGFubgBzZWNyZXQ
      S: -ERR malformed`);
  });

  it('closes the connection after a bare LF, also if the mechanism hides it', async () => {
    const hiding: Challenger = {
      ...plain(),
      async challenge(ask) {
        await ask(encodeUtf8('who')).catch(() => {});
        throw new UnauthorizedLogin();
      },
    };
    for (const [challenger, prompt, code] of [
      [plain(), '', 'malformed'],
      [hiding, '{base64:who}', 'unauthorized'],
    ] as const) {
      const end = `C: A\\nB\nC: QUIT\nS: -ERR ${code}\nS: <closed>`;
      await new Door({ challengers: [challenger] }).play(`C: AUTH PLAIN\nS: + ${prompt}\n${end}`);
    }
  });

  it('reports the refusal of a client that disconnects before the delay is over', async () => {
    const server = new Door({ policy: { ...POLICY, undelayedLoginFailures: 0 } });
    await server.play(`C: ${WRONG}\nS: <silence>\nC: <close>`);
    expect(server.refused).toEqual(['ann unauthorized']);
  });
});

describe('a client that disconnects in the exchange', () => {
  it.each(['close', 'reset'])('(%s) ends the conversation with PeerGone', async (word) => {
    const server = new Door();
    const played = server.play(`C: AUTH LOGIN\nS: + {base64:Username:}\nC: <${word}>`);
    await expect(played).rejects.toMatchObject({ code: 'peer-gone' });
    expect(server.refused).toEqual([]);
  });

  it('is reported with its refusal if that is known already', async () => {
    const server = new Door({ challengers: [closing(() => Promise.reject(new UnauthorizedLogin()))] });
    register(server);
    const played = server.play('C: AUTH CLOSING\nS: + {base64:refused}\nC: <close>');
    await expect(played).rejects.toMatchObject({ code: 'peer-gone' });
    expect(server.refused).toEqual(['ann unauthorized']);
  });
});

describe('the one timeout', () => {
  it('ends a conversation in which the client owes a response', async () => {
    const played = new Door().play('C: AUTH LOGIN\nS: + {base64:Username:}\nC: <advance 61s>');
    await expect(played).rejects.toThrow(TimedOut);
  });

  it('counts all rounds of the exchange together', async () => {
    const played = new Door().play(`
      C: AUTH LOGIN
      S: + {base64:Username:}
      C: <advance 40s>
      C: {base64:ann}
      S: + {base64:Password:}
      C: <advance 21s>`);
    await expect(played).rejects.toThrow(TimedOut);
  });

  it('is a temporary failure if the server is slow, and the conversation continues', async () => {
    const late = Promise.withResolvers<TestAvatar>();
    const clock = new FakeClock();
    const portal = portalFor({ ann: 'secret' }, TestAvatar, () => late.promise, { clock, loginTimeout: 10_000 });
    const server = new Door({ portal });
    await server.play(`
      C: ${RIGHT}
      C: <advance 11s>
      S: -ERR temporary
      C: QUIT
      S: +OK bye`);
    late.resolve(new TestAvatar('ann'));
    await settle();
    expect(portal.openLogins).toBe(0);
    expect(server.refused).toEqual([]);
  });

  it('bounds a challenger that waits for no client', async () => {
    const stuck: Challenger = { ...plain(), challenge: () => new Promise(() => {}) };
    await new Door({ challengers: [stuck] }).play(`
      C: AUTH PLAIN
      C: <advance 61s>
      S: -ERR temporary
      C: LIST
      S: +OK PLAIN`);
  });

  it('asks the client nothing more after it, and reports a later refusal', async () => {
    const resumed = Promise.withResolvers<void>();
    const resume = (): string => {
      resumed.resolve();
      return '';
    };
    const slow: Challenger = {
      ...plain(),
      async challenge(ask) {
        await resumed.promise;
        await ask(encodeUtf8('too late'));
        throw new Error('unreachable');
      },
    };
    const server = new Door({ challengers: [slow] });
    await server.play(
      `
      C: AUTH PLAIN
      C: <advance 61s>
      S: -ERR temporary
      C: <raw {resume}>
      S: <silence>
      C: LIST
      S: +OK PLAIN`,
      { values: { resume } },
    );
  });
});

/** Credentials whose closing word on a refusal is a challenge. */
class ClosingCredentials extends Credentials {
  readonly username = 'ann';
  readonly check: () => MaybePromise<string>;
  readonly #say: () => Promise<unknown>;

  constructor(check: () => MaybePromise<string>, say: () => Promise<unknown>) {
    super();
    this.check = check;
    this.#say = say;
  }

  override async refused(): Promise<void> {
    await this.#say();
  }
}

function closing(check: () => MaybePromise<string>): Challenger<ClosingCredentials> {
  return {
    mechanism: 'CLOSING',
    credentials: ClosingCredentials,
    exposesSecret: false,
    challenge: async (ask) => new ClosingCredentials(check, () => ask(encodeUtf8('refused'))),
  };
}

function register({ portal }: Door): void {
  const checker: Checker<ClosingCredentials> = {
    credentialInterfaces: [ClosingCredentials],
    requestAvatarId: (credentials) => credentials.check(),
  };
  portal.register(checker);
}
