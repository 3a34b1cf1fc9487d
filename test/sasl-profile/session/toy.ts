import type { Protocol } from '@postern/conversation';
import {
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  type LogoutReason,
  Portal,
  type Realm,
  type UsernamePassword,
} from '@postern/cred';
import { login, plain } from '@postern/sasl';
import {
  ClientSession,
  completeLimits,
  defaultSessionLimits,
  minimalSessionLimits,
  Refusal,
  runAuth,
  runStartTls,
  type SessionDialogue,
  type SessionEvent,
  type SessionLimits,
  type SessionOptions,
  serveSession,
  sessionSettings,
} from '@postern/sasl-profile';
import { type DialogueOptions, dialogue, FakeClock } from '@postern/testing';

/** The avatar of the toy protocol. */
export class Toy {
  readonly logouts: string[] = [];
  onLogout: () => Promise<void> | void = () => {};

  logout(reason: LogoutReason): Promise<void> | void {
    this.logouts.push(reason);
    return this.onLogout();
  }
}

const VERBS = [
  'AUTH',
  'CLOSE',
  'DENY',
  'ECHO',
  'NAME',
  'NOOP',
  'QUIT',
  'REJECT',
  'SAY',
  'STARTTLS',
  'THROW',
  'WAIT',
] as const;
type Verb = (typeof VERBS)[number];
/** An event of the toy protocol. */
export type ToyEvent = SessionEvent<Verb, string>;
type Options = Partial<SessionOptions<SessionLimits, ToyEvent>>;

/** What a test of the toy protocol changes. */
export interface ToyOptions extends Options {
  readonly checker?: Checker<UsernamePassword>;
  /** Runs before the client learns of its login. */
  readonly begin?: (avatar: Toy) => Promise<void> | void;
  /** The result of WAIT. */
  readonly wait?: Promise<string>;
  readonly dialogue?: Partial<SessionDialogue<Verb>>;
}

/** One server of a line protocol that has nothing but the shared parts. */
export class ToyServer {
  readonly clock = new FakeClock();
  readonly events: ToyEvent[] = [];
  readonly avatar = new Toy();
  readonly protocol: Protocol;
  readonly #options: ToyOptions;

  constructor(options: ToyOptions = {}) {
    this.#options = options;
    const realm: Realm = {
      requestAvatar: <A>() => ({ avatar: this.avatar as A, logout: (reason) => this.avatar.logout(reason) }),
    };
    const users = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
    const portal = new Portal(realm, { clock: this.clock, loginTimeout: 30_000 });
    if (options.checker === undefined) portal.register(users);
    else portal.register(options.checker);
    const settings = sessionSettings<Toy, SessionLimits, ToyEvent>(
      {
        hostname: 'toy.example',
        portal,
        challengers: [plain(), login()],
        onEvent: (event) => void this.events.push(event),
        clock: this.clock,
        ...options,
      },
      {
        protocol: 'toy',
        avatar: Toy,
        limits: completeLimits(options.limits, defaultSessionLimits, minimalSessionLimits),
      },
    );
    this.protocol = (conversation) => {
      const session = new ClientSession<Toy, Verb, string>(conversation, settings);
      const toy = this.#dialogue(session);
      // A spread would read the greeting before the session begins.
      const others = Object.getOwnPropertyDescriptors(options.dialogue ?? {});
      return serveSession(session, Object.defineProperties(toy, others));
    };
  }

  /** The kinds of the events, with the reply of each that has one. */
  get log(): readonly string[] {
    return this.events.map((event) => {
      const reply = 'reply' in event && event.reply !== undefined ? ` ${event.reply}` : '';
      return event.kind === 'closed' ? `closed ${event.reason}${reply}` : `${event.kind}${reply}`;
    });
  }

  /** Plays a script, with the clock of the server. */
  play(script: string, options: DialogueOptions = {}): Promise<string> {
    return dialogue(this.protocol, script, { clock: this.clock, readTimeout: 2_000, ...options });
  }

  #dialogue(session: ClientSession<Toy, Verb, string>): SessionDialogue<Verb> {
    const verbOf = (line: string): Verb | undefined => VERBS.find((verb) => verb === line.split(' ', 1)[0]);
    return {
      get greeting() {
        return `+OK ${session.hostname}`;
      },
      verbOf,
      junkVerbs: new Set<Verb>(['NOOP']),
      unreadable: (error) => `-ERR ${error.code}`,
      failed: (line) => `-ERR failed ${verbOf(line)}`,
      closingReply: (reason) => `-ERR ${reason}`,
      command: (line) => this.#run(session, verbOf(line), line),
    };
  }

  #run(session: ClientSession<Toy, Verb, string>, verb: Verb | undefined, line: string) {
    const [, argument = '', initialResponse] = line.split(' ');
    switch (verb) {
      case 'AUTH':
        return this.#auth(session, argument, initialResponse);
      case 'STARTTLS':
        return runStartTls(session, { verb, ready: '+OK go', replyFor: (obstacle) => `-ERR ${obstacle}` }).then(
          () => undefined,
        );
      case 'CLOSE':
        throw new Refusal('-ERR closing', { closes: true });
      case 'DENY':
        throw new Refusal('-ERR not you', { counts: false });
      case 'THROW':
        throw new Error('broken');
      case 'REJECT':
        return Promise.reject(new Error('broken later'));
      case 'SAY':
        session.conversation.say('+OK said\r\n');
        return undefined;
      case 'WAIT':
        return this.#options.wait;
      case 'NAME':
        session.forgetHostname();
        return `+OK ${session.hostname}`;
      case 'QUIT':
        session.closeReason = 'quit';
        return '+OK bye';
      case undefined:
        throw new Refusal('-ERR unknown');
      default:
        return `+OK ${argument}`;
    }
  }

  async #auth(session: ClientSession<Toy, Verb, string>, mechanism: string, initialResponse: string | undefined) {
    const prompt = (challenge: string): string => `+ ${challenge}`;
    const replyFor = (refusal: string): string => `-ERR ${refusal}`;
    const { begin } = this.#options;
    await runAuth(session, { verb: 'AUTH', mechanism, initialResponse, prompt, replyFor, begin });
    return '+OK hello';
  }
}
