import {
  AnonymousChecker,
  AvatarRealm,
  InMemoryUsernamePasswordDatabaseDontUse,
  type MaybePromise,
  Portal,
} from '@postern/cred';
import {
  type Envelope,
  type EsmtpEvent,
  type EsmtpOptions,
  esmtp,
  type ForwardPath,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  type RecipientResult,
  type ReportResult,
  type ReversePath,
} from '@postern/esmtp';
import { type DialogueOptions, dialogue, FakeClock } from '@postern/testing';

/** A delivered message. */
export interface Delivered {
  readonly envelope: Envelope;
  readonly text: string;
}

/** A delivery that keeps its messages, records its calls and runs the test's hooks. */
export class RecordingDelivery extends MessageDelivery {
  readonly delivered: Delivered[] = [];
  readonly calls: string[] = [];
  onFrom: (path: ReversePath, parameters: MailParameters) => MaybePromise<void> = () => {};
  onTo: (path: ForwardPath, parameters: RcptParameters) => MaybePromise<void> = () => {};
  onOpen: () => MaybePromise<void> = () => {};
  onWrite: (chunk: Uint8Array) => MaybePromise<void> = () => {};
  onEnd: (tell?: ReportResult) => MaybePromise<void | readonly RecipientResult[]> = () => {};
  onAbort: (reason: Error) => MaybePromise<void> = () => {};

  override validateFrom(path: ReversePath, parameters: MailParameters): MaybePromise<void> {
    this.calls.push('from');
    return this.onFrom(path, parameters);
  }

  override validateTo(path: ForwardPath, parameters: RcptParameters): MaybePromise<void> {
    this.calls.push('to');
    return this.onTo(path, parameters);
  }

  override openMessage(envelope: Envelope): MaybePromise<Message> {
    this.calls.push('open');
    const message = new RecordingMessage(this, envelope);
    const opened = this.onOpen();
    return opened instanceof Promise ? opened.then(() => message) : message;
  }

  logout(): void {
    this.calls.push('logout');
  }

  [Symbol.dispose](): void {
    this.logout();
  }
}

class RecordingMessage implements Message {
  readonly #delivery: RecordingDelivery;
  readonly #envelope: Envelope;
  readonly #chunks: Buffer[] = [];
  #over = false;

  constructor(delivery: RecordingDelivery, envelope: Envelope) {
    this.#delivery = delivery;
    this.#envelope = envelope;
  }

  write(chunk: Uint8Array): MaybePromise<void> {
    this.#stillOpen('write');
    this.#chunks.push(Buffer.from(chunk));
    return this.#delivery.onWrite(chunk);
  }

  async end(tell?: ReportResult): Promise<void | readonly RecipientResult[]> {
    this.#finish('end');
    const results = await this.#delivery.onEnd(tell);
    this.#delivery.delivered.push({ envelope: this.#envelope, text: Buffer.concat(this.#chunks).toString('latin1') });
    return results;
  }

  abort(reason: Error): MaybePromise<void> {
    this.#finish('abort');
    return this.#delivery.onAbort(reason);
  }

  #finish(call: string): void {
    this.#stillOpen(call);
    this.#over = true;
    this.#delivery.calls.push(call);
  }

  #stillOpen(call: string): void {
    if (this.#over) this.#delivery.calls.push(`${call} too late`);
  }
}

export interface ServerOptions extends Partial<Omit<EsmtpOptions, 'clock'>> {
  readonly clock?: FakeClock;
  readonly delivery?: RecordingDelivery;
  /** Registers a checker for clients without a login. */
  readonly allowAnonymous?: boolean;
}

/** A server with one user, ann, whose password is `secret`, over connections in memory. */
export class Server {
  readonly delivery: RecordingDelivery;
  readonly events: EsmtpEvent[] = [];
  readonly clock: FakeClock;
  readonly portal: Portal;
  readonly protocol: ReturnType<typeof esmtp>;

  constructor({ allowAnonymous = false, delivery, clock, portal, ...options }: ServerOptions = {}) {
    this.delivery = delivery ?? new RecordingDelivery();
    this.clock = clock ?? new FakeClock();
    this.portal = portal ?? this.#portal();
    if (allowAnonymous) this.portal.register(new AnonymousChecker());
    this.protocol = esmtp({
      hostname: 'mx.example.com',
      portal: this.portal,
      onEvent: (event) => void this.events.push(event),
      clock: this.clock,
      // Most tests compare the delivered octets with the sent ones.
      ...(options.service === undefined && {
        requireQualifiedDomains: false,
        addMissingHeaders: false,
        newlines: 'reject',
        removeBcc: false,
      }),
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
    const realm = new AvatarRealm().provide(MessageDelivery, () => this.delivery);
    return new Portal(realm, { clock: this.clock }).register(users);
  }
}

/** A greeting, and EHLO. */
export const GREETED = `
S: 220 mx.example.com ESMTP
C: EHLO client.example.org
S: 250...`;

/** A login that succeeds. */
export const LOGIN = `
C: AUTH PLAIN {base64:\\0ann\\0secret}
S: 235 2.7.0 Authentication succeeded`;

/** A sender and a recipient. */
export const ENVELOPE = `
C: MAIL FROM:<ann@example.com>
S: 250 2.1.0 Sender OK
C: RCPT TO:<bob@example.com>
S: 250 2.1.5 Recipient OK`;
