import { createHash } from 'node:crypto';
import { Conversation, Deadlines, type Protocol } from '@postern/conversation';
import { AvatarRealm, type Checker, type PasswordProof, Portal } from '@postern/cred';
import { esmtp, InMemoryDelivery, MessageDelivery } from '@postern/esmtp';
import { ImapBackEnd, imap } from '@postern/imap';
import { managesieve, SieveBackEnd } from '@postern/managesieve';
import { Mailbox, MailboxInUse, type MessageInfo, pop3 } from '@postern/pop3';
import { cramMd5Responder, plainResponder, scramResponder } from '@postern/sasl/client';
import { FakeClock, memoryPipe } from '@postern/testing';
import { type ThrottleOptions, withThrottle } from '@postern/throttle';
import { InMemoryUserStore, UserChecker } from '@postern/users';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  ESMTP_FRAMING,
  IMAP_FRAMING,
  LoginClient,
  type LoginFraming,
  POP3_FRAMING,
  SIEVE_FRAMING,
} from '../support/login-client.ts';

/** A way to log in: a command or a mechanism of one protocol. */
interface Door {
  readonly name: string;
  readonly protocol: 'smtp' | 'pop3' | 'imap' | 'sieve';
  /** Resolves to true if the server lets the user in. */
  readonly logIn: (client: LoginClient, username: string, password: string) => Promise<boolean>;
}

/** The mechanisms that all protocols have. */
const mechanisms = [plainResponder, cramMd5Responder, scram];

const doors: readonly Door[] = [
  ...(['smtp', 'pop3', 'imap', 'sieve'] as const).flatMap((protocol) =>
    mechanisms.map((responder) => ({
      name: `${protocol} AUTH ${responder({ username: '', password: '' }).mechanism}`,
      protocol,
      logIn: (client: LoginClient, username: string, password: string) =>
        client.authenticate(responder({ username, password })),
    })),
  ),
  {
    name: 'pop3 USER',
    protocol: 'pop3',
    async logIn(client, username, password) {
      await client.say(`USER ${username}`);
      return (await client.say(`PASS ${password}`)).startsWith('+OK');
    },
  },
  {
    name: 'imap LOGIN',
    protocol: 'imap',
    logIn: async (client, username, password) =>
      (await client.say(`a LOGIN ${username} "${password}"`)).startsWith('a OK'),
  },
  {
    name: 'pop3 APOP',
    protocol: 'pop3',
    async logIn(client, username, password) {
      const [timestamp] = /<.*>/.exec(await client.greeting()) ?? [];
      const digest = createHash('md5').update(`${timestamp}${password}`).digest('hex');
      return (await client.say(`APOP ${username} ${digest}`)).startsWith('+OK');
    },
  },
];

function scram(user: { readonly username: string; readonly password: string }) {
  return scramResponder({ hash: 'sha512', ...user });
}

describe('a throttle around the checker of one portal', () => {
  it.each(doors)('denies a guesser of $name what it guessed in another protocol', async ({ name }) => {
    const site = new Site({ userAndNetwork: { failures: 3, window: MINUTE } });
    const others = doors.filter((door) => door.name !== name).slice(0, 3);
    for (const door of others) expect(await site.guess(door, 'joe')).toBe('refused');
    expect(await site.logIn(doorOf(name), 'joe', 's3cret')).toBe('denied');
    expect(await site.logIn(doorOf(name), 'joe', 's3cret', ELSEWHERE)).toBe('accepted');
  });

  it('counts the guesses at all users from one network', async () => {
    const site = new Site({ network: { failures: doors.length, window: MINUTE } });
    for (const [index, door] of doors.entries()) {
      expect(await site.guess(door, index % 2 === 0 ? 'joe' : 'nobody')).toBe('refused');
    }
    for (const door of doors) expect(await site.logIn(door, 'ann', 's3cret')).toBe('denied');
  });

  it('counts the guesses at one user from all networks, and spares those of earlier logins', async () => {
    const site = new Site({ user: { failures: doors.length, window: MINUTE } });
    expect(await site.logIn(doorOf('pop3 USER'), 'joe', 's3cret')).toBe('accepted');
    for (const [index, door] of doors.entries()) {
      expect(await site.guess(door, 'joe', `198.51.100.${index}`)).toBe('refused');
    }
    for (const door of doors) {
      expect(await site.logIn(door, 'joe', 's3cret', ELSEWHERE)).toBe('denied');
      expect(await site.logIn(door, 'joe', 's3cret')).toBe('accepted');
    }
  });

  it('forgets the guesses of a user after a success in another protocol', async () => {
    const site = new Site({ userAndNetwork: { failures: 3, window: MINUTE } });
    for (const door of doors) {
      expect(await site.guess(doorOf('smtp AUTH PLAIN'), 'joe')).toBe('refused');
      expect(await site.guess(doorOf('pop3 USER'), 'joe')).toBe('refused');
      expect(await site.logIn(door, 'joe', 's3cret')).toBe('accepted');
    }
  });

  it('judges each mixture of protocols as it judges SMTP alone', async () => {
    const attempt = fc.record({
      // SCRAM costs 4,096 rounds of a hash for each login.
      door: fc.constantFrom(...doors.filter(({ name }) => !name.includes('SCRAM'))),
      username: fc.constantFrom('joe', 'ann', 'nobody'),
      isRight: fc.boolean(),
      address: fc.constantFrom(HERE, ELSEWHERE, '2001:db8::1', '2001:db8:0:1::1'),
    });
    const limits = {
      userAndNetwork: { failures: 2, window: MINUTE },
      network: { failures: 4, window: MINUTE },
      site: { failures: 5, window: MINUTE },
      user: { failures: 3, window: MINUTE },
    };
    await fc.assert(
      fc.asyncProperty(fc.array(attempt, { maxLength: 15 }), async (attempts) => {
        const [mixed, alone] = [new Site(limits), new Site(limits)];
        for (const { door, username, isRight, address } of attempts) {
          const verdicts: string[] = [];
          for (const [site, entrance] of [
            [mixed, door],
            [alone, doorOf('smtp AUTH PLAIN')],
          ] as const) {
            // A wrong password that comes again does not count, and the proofs hide it.
            const verdict =
              isRight && username !== 'nobody'
                ? await site.logIn(entrance, username, 's3cret', address)
                : await site.guess(entrance, username, address);
            verdicts.push(verdict);
          }
          expect(verdicts[0]).toBe(verdicts[1]);
        }
      }),
    );
  });
});

describe('the right password of a user', () => {
  it('is accepted at once while other clients hold logins open in all protocols', async () => {
    const site = new Site({});
    for (let index = 0; index < 40; index++) {
      const address = `198.51.${index}.1`;
      const smtp = site.connect('smtp', address);
      await smtp.say(`AUTH SCRAM-SHA-512 ${base64('n,,n=joe,r=fyko+d2lbbFgONRv9qkxdawL')}`);
      await site.connect('smtp', address).say('AUTH CRAM-MD5');
      await site.connect('imap', address).say('a AUTHENTICATE PLAIN');
      await site.connect('imap', address).say('a LOGIN joe {6}');
      await site.connect('sieve', address).say('AUTHENTICATE "CRAM-MD5"');
      await site.connect('pop3', address).say('USER joe');
      await site.connect('pop3', address).say('AUTH PLAIN');
      await site.connect('pop3', address).say(`AUTH SCRAM-SHA-512 ${base64('n,,n=joe,r=fyko+d2lbbFgONRv9qkxdawL')}`);
    }
    for (const door of doors) expect(await site.logIn(door, 'joe', 's3cret', ELSEWHERE)).toBe('accepted');
    await site.close();
  });
});

describe('a login that fails by no fault of the client', () => {
  it('is no guess if another session has the mailbox', async () => {
    const site = new Site({ userAndNetwork: { failures: 2, window: MINUTE } });
    const holder = site.connect('pop3', HERE);
    expect(await holder.authenticate(plainResponder({ username: 'joe', password: 's3cret' }))).toBe(true);
    for (const door of [...doors, ...doors]) {
      const verdict = await site.logIn(door, 'joe', 's3cret');
      expect(verdict, door.name).toBe(door.protocol === 'pop3' ? 'deferred' : 'accepted');
    }
    await site.close();
    for (const door of doors) expect(await site.logIn(door, 'joe', 's3cret'), door.name).toBe('accepted');
  });

  it('is no guess if the back end of the checker is down', async () => {
    const site = new Site({ userAndNetwork: { failures: 2, window: MINUTE } });
    site.isDown = true;
    for (const door of [...doors, ...doors]) {
      expect(await site.guess(door, 'joe'), door.name).toBe('deferred');
    }
    site.isDown = false;
    for (const door of doors) expect(await site.logIn(door, 'joe', 's3cret'), door.name).toBe('accepted');
  });
});

/** A server of all protocols on one portal, with one throttle. Its clock stands still. */
class Site {
  isDown = false;
  readonly #clock = new FakeClock();
  readonly #deadlines = new Deadlines(this.#clock);
  readonly #protocols: Readonly<Record<Door['protocol'], readonly [Protocol, LoginFraming]>>;
  readonly #open: LoginClient[] = [];
  readonly #locked = new Set<string>();
  /** The reason of the last refusal, if the throttle has denied the login. */
  #denied = false;
  #guesses = 0;

  constructor(limits: ThrottleOptions) {
    const records = ['joe', 'ann'].map((name) => ({ name, secrets: ['{PLAIN}s3cret'] }));
    const users = new UserChecker(new InMemoryUserStore(records));
    const checker: Checker<PasswordProof> = {
      credentialInterfaces: users.credentialInterfaces,
      requestAvatarId: (credentials, mind) => {
        if (this.isDown) throw new Error('the back end is down');
        return users.requestAvatarId(credentials, mind);
      },
    };
    const realm = new AvatarRealm()
      .provide(MessageDelivery, () => new InMemoryDelivery())
      .provide(Mailbox, (user) => this.#lock(String(user)))
      .provide(ImapBackEnd, (user) => new ImapBackEnd(backEndOf(String(user), imapBackEnd)))
      .provide(SieveBackEnd, (user) => new SieveBackEnd(backEndOf(String(user), sieveBackEnd)));
    const clock = this.#clock;
    const portal = new Portal(realm, { clock }).register(withThrottle(checker, { clock, ...HIGH, ...limits }));
    const options = {
      hostname: 'mx.example.com',
      portal,
      clock,
      limits: { minFailureDelay: 0, minChallengeDelay: 0 },
      onEvent: (event: { readonly kind: string; readonly error?: unknown }) => {
        if (event.kind === 'login-refused') this.#denied = (event.error as Error).name === 'LoginDenied';
      },
    };
    this.#protocols = {
      smtp: [esmtp(options), ESMTP_FRAMING],
      pop3: [pop3(options), POP3_FRAMING],
      imap: [imap(options), IMAP_FRAMING],
      sieve: [managesieve(options), SIEVE_FRAMING],
    };
  }

  /** Opens a connection that stays open until {@link close}. */
  connect(name: Door['protocol'], address: string): LoginClient {
    const [protocol, framing] = this.#protocols[name];
    const client = new LoginClient(protocol, framing, address, this.#deadlines);
    this.#open.push(client);
    return client;
  }

  /** Logs in on a connection of its own, and closes it. */
  async logIn(door: Door, username: string, password: string, address = HERE): Promise<string> {
    const client = this.connect(door.protocol, address);
    this.#denied = false;
    try {
      if (await door.logIn(client, username, password)) return 'accepted';
      if (this.#denied) return 'denied';
      return client.lastReply.match(TEMPORARY) ? 'deferred' : 'refused';
    } finally {
      await client[Symbol.asyncDispose]();
    }
  }

  /** Logs in with a wrong password that was never sent before. */
  guess(door: Door, username: string, address = HERE): Promise<string> {
    return this.logIn(door, username, `guess ${++this.#guesses}`, address);
  }

  async close(): Promise<void> {
    for (const client of this.#open.splice(0)) await client[Symbol.asyncDispose]();
  }

  #lock(user: string): Mailbox {
    if (this.#locked.has(user)) throw new MailboxInUse();
    this.#locked.add(user);
    return new EmptyMailbox(() => this.#locked.delete(user));
  }
}

class EmptyMailbox extends Mailbox {
  readonly messages: readonly MessageInfo[] = [];
  readonly #unlock: () => void;

  constructor(unlock: () => void) {
    super();
    this.#unlock = unlock;
  }

  override open(): never {
    throw new Error('there is no message');
  }

  override update(): void {}

  [Symbol.dispose](): void {
    this.#unlock();
  }
}

/** Returns the options of a back end in memory, which lets each user in. */
function backEndOf(username: string, protocol: Protocol) {
  return {
    connect: async () => {
      const { client, server } = memoryPipe({ tlsPolicy: 'implicit' });
      void protocol(new Conversation(server)).catch(() => {});
      return client;
    },
    account: { username, masterUser: 'postern', password: 'master' },
  };
}

const imapBackEnd: Protocol = async (conversation) => {
  conversation.say('* OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] ready\r\n');
  for (let line = await conversation.hearLine(512); line !== undefined; line = await conversation.hearLine(512)) {
    conversation.say(`${line.split(' ')[0]} OK done\r\n`);
  }
  await conversation.close();
};

const sieveBackEnd: Protocol = async (conversation) => {
  conversation.say('"IMPLEMENTATION" "x"\r\n"SASL" "PLAIN"\r\nOK\r\n');
  while ((await conversation.hearLine(512)) !== undefined) conversation.say('OK\r\n');
  await conversation.close();
};

function doorOf(name: string): Door {
  return doors.find((door) => door.name === name) as Door;
}

function base64(text: string): string {
  return Buffer.from(text).toString('base64');
}

const MINUTE = 60_000;
const HERE = '192.0.2.1';
const ELSEWHERE = '203.0.113.9';
/** Limits that no test reaches. */
const HIGH = {
  userAndNetwork: { failures: 1_000, window: MINUTE },
  network: { failures: 1_000, window: MINUTE },
  site: { failures: 1_000, window: MINUTE },
  user: { failures: 1_000, window: MINUTE },
};
/**
 * A reply to a failure that is not the client's (RFC 4954 §6, RFC 2449 §8.1.2, RFC 3206, RFC 5530,
 * RFC 5804 §1.3).
 */
const TEMPORARY = /^454 |^-ERR \[(?:IN-USE|SYS\/TEMP)\]|^a NO \[UNAVAILABLE\]|^NO \(TRYLATER\)/;
