import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, type MaybePromise, Portal } from '@postern/cred';
import { Mailbox, type MessageContent, type MessageInfo, type Pop3Event, type Pop3Options, pop3 } from '@postern/pop3';
import { type DialogueOptions, dialogue, FakeClock } from '@postern/testing';

/** A mailbox that records its calls and runs the test's hooks. */
export class RecordingMailbox extends Mailbox {
  readonly calls: string[] = [];
  readonly #contents: readonly Uint8Array[];
  /** The octets of one read. */
  chunkOctets = Number.POSITIVE_INFINITY;
  onOpen: (index: number) => MaybePromise<void> = () => {};
  /** Called before each read, with the number of reads before it. */
  onRead: (reads: number) => MaybePromise<void> = () => {};
  onClose: () => MaybePromise<void> = () => {};
  onUpdate: () => MaybePromise<void> = () => {};
  messages: readonly MessageInfo[];

  constructor(messages: readonly (string | Uint8Array)[] = MESSAGES) {
    super();
    this.#contents = messages.map((message) => (typeof message === 'string' ? Buffer.from(message) : message));
    this.messages = this.#contents.map(({ length }, index) => ({ octets: length, uid: `uid-${index + 1}` }));
  }

  override open(index: number): MaybePromise<MessageContent> {
    this.calls.push(`open ${index}`);
    const content = this.#contents[index] ?? Buffer.alloc(0);
    const opened = this.onOpen(index);
    const result = this.#contentOf(content);
    return opened instanceof Promise ? opened.then(() => result) : result;
  }

  override update(deleted: readonly number[], retrieved: readonly number[]): MaybePromise<void> {
    this.calls.push(`update [${deleted.join()}] [${retrieved.join()}]`);
    return this.onUpdate();
  }

  [Symbol.dispose](): void {
    this.calls.push('logout');
  }

  #contentOf(content: Uint8Array): MessageContent {
    let [at, reads] = [0, 0];
    const next = (): Uint8Array | undefined => {
      if (at >= content.length) return undefined;
      const chunk = content.subarray(at, at + this.chunkOctets);
      at += chunk.length;
      return chunk;
    };
    return {
      read: () => {
        const waited = this.onRead(reads++);
        return waited instanceof Promise ? waited.then(next) : next();
      },
      close: () => {
        this.calls.push('close');
        return this.onClose();
      },
    };
  }
}

export interface ServerOptions extends Partial<Omit<Pop3Options, 'clock'>> {
  readonly clock?: FakeClock;
  readonly mailbox?: RecordingMailbox;
}

/** A server with one user, ann, whose password is `secret`, over connections in memory. */
export class Server {
  readonly mailbox: RecordingMailbox;
  readonly events: Pop3Event[] = [];
  readonly clock: FakeClock;
  readonly portal: Portal;
  readonly protocol: ReturnType<typeof pop3>;

  constructor({ mailbox, clock, portal, ...options }: ServerOptions = {}) {
    this.mailbox = mailbox ?? new RecordingMailbox();
    this.clock = clock ?? new FakeClock();
    this.portal = portal ?? this.#portal();
    this.protocol = pop3({
      hostname: 'pop.example.com',
      portal: this.portal,
      onEvent: (event) => void this.events.push(event),
      clock: this.clock,
      ...options,
      // The fake clock does not advance by itself.
      limits: { minFailureDelay: 0, minChallengeDelay: 0, ...options.limits },
    });
  }

  /** Plays the script on a connection that has TLS, unless the options say otherwise. */
  play(script: string, options: DialogueOptions = {}): Promise<string> {
    return dialogue(this.protocol, script, { tlsPolicy: 'implicit', clock: this.clock, ...options });
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }

  #portal(): Portal {
    const users = new InMemoryUsernamePasswordDatabaseDontUse();
    users.addUser('ann', 'secret');
    const realm = new AvatarRealm().provide(Mailbox, () => this.mailbox);
    return new Portal(realm, { clock: this.clock }).register(users);
  }
}

/** Two messages: of 34 and 46 octets. */
const MESSAGES: readonly string[] = [
  'Subject: one\r\n\r\nHello\r\n.\r\n..dots\r\n',
  'Subject: two\r\nX: y\r\n\r\nline 1\r\nline 2\r\nline 3\r\n',
];

/** A greeting. */
export const GREETED = `
S: +OK pop.example.com POP3 server ready <any>`;

/** A greeting and a login that succeeds. */
export const LOGIN = `${GREETED}
C: USER ann
S: +OK send PASS
C: PASS secret
S: +OK maildrop has <any>`;
