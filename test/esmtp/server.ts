import {
  Anonymous,
  AnonymousChecker,
  AvatarRealm,
  type Checker,
  type Credentials,
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
  type ReversePath,
} from '@postern/esmtp';
import { type DialogueOptions, dialogue, FakeClock } from '@postern/testing';

/** A message as a delivery got it. */
export interface Delivered {
  readonly envelope: Envelope;
  readonly text: string;
}

/** A delivery that keeps what it gets, does as it is told, and writes down what it was called for. */
export class RecordingDelivery extends MessageDelivery {
  readonly delivered: Delivered[] = [];
  readonly calls: string[] = [];
  onFrom: (path: ReversePath, parameters: MailParameters) => MaybePromise<void> = () => {};
  onTo: (path: ForwardPath, parameters: RcptParameters) => MaybePromise<void> = () => {};
  onOpen: () => MaybePromise<void> = () => {};
  onWrite: (chunk: Uint8Array) => MaybePromise<void> = () => {};
  onEnd: () => MaybePromise<void | readonly RecipientResult[]> = () => {};
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

  async end(): Promise<void | readonly RecipientResult[]> {
    this.#finish('end');
    const results = await this.#delivery.onEnd();
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

export interface ServerOptions extends Partial<EsmtpOptions> {
  /** Lets guests in. */
  readonly guests?: boolean;
  /** Checkers beside the one for ann, whose password is `secret`. */
  readonly checkers?: readonly Checker<Credentials>[];
}

/** A server with one user, ann, whose password is `secret`, over connections in memory. */
export class Server {
  readonly delivery = new RecordingDelivery();
  readonly events: EsmtpEvent[] = [];
  readonly clock = new FakeClock();
  readonly portal: Portal;
  readonly protocol: ReturnType<typeof esmtp>;

  constructor({ guests = false, ...options }: ServerOptions = {}) {
    const users = new InMemoryUsernamePasswordDatabaseDontUse();
    users.addUser('ann', 'secret');
    this.portal = new Portal(
      new AvatarRealm().provide(MessageDelivery, () => this.delivery),
      { clock: this.clock },
    );
    this.portal.register(users);
    if (guests) this.portal.register(new AnonymousChecker(), Anonymous);
    this.protocol = esmtp({
      hostname: 'mx.example.com',
      portal: this.portal,
      onEvent: (event) => void this.events.push(event),
      clock: this.clock,
      ...options,
      limits: { refusalFloor: 0, ...options.limits },
    });
  }

  /** Plays the script on a connection that has TLS, unless the options say otherwise. */
  play(script: string, options: DialogueOptions = {}): Promise<string> {
    return dialogue(this.protocol, script, { tlsPolicy: 'implicit', clock: this.clock, ...options });
  }

  kinds(): string[] {
    return this.events.map(({ kind }) => kind);
  }
}
