// The server of console-esmtp-server.ts, which Inversify composes of injectable classes of the
// application.
import 'reflect-metadata';
import { once } from 'node:events';
import {
  type AvatarId,
  type Checker,
  type Interface,
  type Mind,
  NoAvatar,
  PasswordProof,
  type Realm,
  type RealmAvatar,
  UnauthorizedLogin,
} from '@postern/cred';
import { type ForwardPath, type Message, MessageDelivery, Rejection } from '@postern/esmtp';
import { bindChecker, bindListener, bindRealm, identifiers, start, submissionModules } from '@postern/inversify';
import { Container, type Factory, inject, injectable, type ServiceIdentifier } from 'inversify';

/** Prints a text. A test would bind another function. */
type Print = (text: string) => void;

const TYPES = {
  Print: Symbol.for('Print') as ServiceIdentifier<Print>,
  Users: Symbol.for('Users') as ServiceIdentifier<ReadonlyMap<string, string>>,
  Deliveries: Symbol.for('Deliveries') as ServiceIdentifier<Factory<MessageDelivery>>,
};

@injectable()
class ConsoleMessageDelivery extends MessageDelivery {
  constructor(@inject(TYPES.Print) private readonly print: Print) {
    super();
  }

  validateFrom(): void {}

  validateTo({ localPart }: ForwardPath): void {
    if (localPart !== 'console') throw new Rejection(550, '5.1.1', 'No such user here');
  }

  openMessage(): Message {
    const chunks: Buffer[] = [];
    return {
      write: (chunk) => void chunks.push(Buffer.from(chunk)),
      end: () => this.print(`New message received:\n${Buffer.concat(chunks).toString()}`),
      abort() {},
    };
  }
}

@injectable()
class UserChecker implements Checker<PasswordProof> {
  readonly credentialInterfaces = [PasswordProof];

  constructor(@inject(TYPES.Users) private readonly users: ReadonlyMap<string, string>) {}

  async requestAvatarId(credentials: PasswordProof): Promise<AvatarId> {
    const password = this.users.get(credentials.username);
    if (password === undefined || !(await credentials.checkPassword(password))) throw new UnauthorizedLogin();
    return credentials.username;
  }
}

@injectable()
class ConsoleRealm implements Realm {
  constructor(@inject(TYPES.Deliveries) private readonly deliveries: Factory<MessageDelivery>) {}

  requestAvatar<A>(_avatarId: AvatarId, _mind: Mind, interfaces: readonly Interface<A>[]): RealmAvatar<A> {
    if (!interfaces.some((wanted) => wanted === (MessageDelivery as Interface))) throw new NoAvatar('only mail here');
    return { avatar: this.deliveries() as A };
  }
}

const container = new Container();
container.load(...submissionModules);
container.bind(TYPES.Print).toConstantValue((text) => console.log(text));
container.bind(TYPES.Users).toConstantValue(new Map([['joe', 'password']]));
container.bind(ConsoleMessageDelivery).toSelf();
container.bind(TYPES.Deliveries).toFactory((context) => () => context.get(ConsoleMessageDelivery));
container.bind(identifiers.Hostname).toConstantValue('localhost');
container.bind(identifiers.Throttle).toConstantValue({});
bindRealm(container).to(ConsoleRealm);
bindChecker(container, 'users').to(UserChecker);
bindListener(container, 'submission').toConstantValue({
  endpoint: { scheme: 'smtp', host: 'localhost', port: Number(process.argv[2] ?? 2500) },
});

await using server = await start(container);
for (const { url } of server.listeners) console.log(`listening ${url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
process.once('SIGTERM', () => void server.close());
