import { Conversation, Deadlines } from '@postern/conversation';
import { AnonymousChecker, AvatarRealm, type MaybePromise, Portal } from '@postern/cred';
import {
  type Envelope,
  esmtp,
  type Message,
  MessageDelivery,
  PerRecipientDelivery,
  type RecipientResult,
  Rejection,
  Reply,
  type ReportResult,
} from '@postern/esmtp';
import { FakeClock, memoryPipe, settle } from '@postern/testing';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { runs } from '../../support/fuzz.ts';

const DEEDS = ['now', 'soon', 'late', 'never', 'refuse', 'defer', 'close', 'throw', 'reject', 'reject late'] as const;
type Deed = (typeof DEEDS)[number];

const deeds = fc.infiniteStream(
  fc.oneof({ weight: 3, arbitrary: fc.constant('now' as Deed) }, { weight: 1, arbitrary: fc.constantFrom(...DEEDS) }),
);
const steps = fc.constantFrom(
  'EHLO x\r\n',
  'LHLO x\r\n',
  'MAIL FROM:<ann@example.com>\r\n',
  'MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\nRCPT TO:<eve@example.com>\r\n',
  'DATA\r\nhello\r\n.\r\n',
  `DATA\r\n${'hello\r\n'.repeat(200)}.\r\n`,
  'DATA\r\nbare\nline\r\n.\r\n',
  'BDAT 6\r\nQUIT\r\n',
  'BDAT 6 LAST\r\nQUIT\r\n',
  'VRFY bob@example.com\r\n',
  'RSET\r\n',
);

/**
 * A delivery whose calls do what the fuzzer chose, and which notes each violation of its contract.
 */
class UnreliableDelivery extends MessageDelivery {
  readonly notes: string[] = [];
  opened = 0;
  over = 0;
  readonly #deeds: Iterator<Deed>;
  readonly #clock: FakeClock;
  #loggedOut = false;

  constructor(stream: Iterator<Deed>, clock: FakeClock) {
    super();
    this.#deeds = stream;
    this.#clock = clock;
  }

  override validateFrom(): MaybePromise<void> {
    return this.call('validateFrom', () => {});
  }

  override validateTo(): MaybePromise<void> {
    return this.call('validateTo', () => {});
  }

  override verify(): MaybePromise<undefined> {
    return this.call('verify', () => undefined);
  }

  override openMessage({ recipients }: Envelope): MaybePromise<Message> {
    return this.call('openMessage', () => {
      this.opened++;
      return new UnreliableMessage(this, recipients.length);
    });
  }

  [Symbol.dispose](): void {
    this.#loggedOut = true;
  }

  call<T>(what: string, work: () => T): MaybePromise<T> {
    if (this.#loggedOut && what !== 'abort') this.notes.push(`${what} after the logout`);
    switch (this.#deeds.next().value as Deed) {
      case 'now':
        return work();
      case 'soon':
        return Promise.resolve().then(work);
      case 'late':
        return this.#later(work);
      case 'never':
        return new Promise(() => {});
      case 'refuse':
        throw new Rejection(550, '5.0.0', 'No');
      case 'defer':
        return Promise.reject(new Rejection(450, '4.0.0', 'Later'));
      case 'close':
        throw new Rejection(421, '4.3.2', 'Closing');
      case 'throw':
        throw new Error('a bug');
      case 'reject':
        return Promise.reject(new Error('a bug'));
      case 'reject late':
        return this.#later(() => {
          throw new Error('a bug');
        });
    }
  }

  /** Resolves after every timeout of the server. */
  #later<T>(work: () => T): Promise<T> {
    return new Promise((resolve) => this.#clock.after(1_000_000, () => resolve(undefined))).then(work);
  }
}

class UnreliableMessage implements Message {
  readonly #delivery: UnreliableDelivery;
  readonly #recipients: number;
  #over: string | undefined;
  #writing = false;

  constructor(delivery: UnreliableDelivery, recipients: number) {
    this.#delivery = delivery;
    this.#recipients = recipients;
  }

  write(): MaybePromise<void> {
    this.#note('write');
    const written = this.#delivery.call('write', () => {});
    if (!(written instanceof Promise)) return;
    this.#writing = true;
    const done = (): void => {
      this.#writing = false;
    };
    written.then(done, done);
    return written;
  }

  end(tell?: ReportResult): MaybePromise<readonly RecipientResult[]> {
    this.#finish('end');
    tell?.(this.#recipients - 1, undefined);
    const results = Array.from({ length: this.#recipients }, (_, at) => [undefined, new Reply(450, '4.0.0')][at]);
    return this.#delivery.call('end', () => results);
  }

  abort(): MaybePromise<void> {
    this.#finish('abort');
    return this.#delivery.call('abort', () => {});
  }

  #finish(what: string): void {
    this.#note(what);
    this.#over = what;
    this.#delivery.over++;
  }

  #note(what: string): void {
    const { notes } = this.#delivery;
    if (this.#over !== undefined) notes.push(`${what} after ${this.#over}`);
    if (this.#writing && what !== 'abort') notes.push(`${what} while a write is pending`);
  }
}

test.each([
  ['SMTP', 'mx', false],
  ['LMTP', 'lmtp', false],
  ['LMTP, for each recipient by itself', 'lmtp', true],
] as const)('%s keeps its contract with any delivery, and ends', async (_name, service, each) => {
  await fc.assert(
    fc.asyncProperty(fc.array(steps, { minLength: 5, maxLength: 30 }), deeds, async (session, stream) => {
      const clock = new FakeClock();
      const delivery = new UnreliableDelivery(stream, clock);
      const avatar = each ? new PerRecipientDelivery(() => delivery, { clock }) : delivery;
      const portal = new Portal(
        new AvatarRealm().provide(MessageDelivery, () => avatar),
        { clock },
      );
      const limits = { maxErrors: 1_000 };
      const protocol = esmtp({
        hostname: 'mx.example.com',
        portal: portal.register(new AnonymousChecker()),
        service,
        limits,
        clock,
      });

      const { client, server } = memoryPipe({ highWaterMark: 1_000_000 });
      const deadlines = new Deadlines(clock);
      let isOver = false;
      const over = protocol(new Conversation(server, { deadlines })).then(() => {
        isOver = true;
      });
      const peer = new Conversation(client, { deadlines });
      const greeting = service === 'lmtp' ? 'LHLO' : 'EHLO';
      await peer.send(Buffer.from(`${greeting} x\r\n${session.join('')}QUIT\r\n`));
      const closed = hearAll(peer).then(() => peer.close());
      for (let minutes = 0; minutes < 2_000 && !isOver; minutes++) await clock.advance(60_000);
      await Promise.all([over, closed]);
      // Late results: of validateFrom, then the message, then its abort.
      await clock.advance(4_000_000);
      await settle();

      expect(delivery.notes).toEqual([]);
      expect(delivery.over).toBe(delivery.opened);
      expect(portal.openLogins).toBe(0);
      expect(clock.pending).toBe(0);
    }),
    { numRuns: runs(300) },
  );
});

async function hearAll(peer: Conversation): Promise<void> {
  try {
    while ((await peer.hearLine(1_000)) !== undefined);
  } catch {
    // The server closes as it likes.
  }
}
