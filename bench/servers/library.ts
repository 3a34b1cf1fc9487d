// Postern as an application sets it up: a portal, checkers, a realm, and a delivery that discards.
import {
  AvatarRealm,
  type Checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  Portal,
  UnauthorizedLogin,
  UsernamePassword,
} from '@postern/cred';
import { esmtp, type Message, MessageDelivery } from '@postern/esmtp';
import { listen } from '@postern/node';
import { ScramSecret, ScramSha256Credentials } from '@postern/sasl';
import { iterations, password, salt, serverKey, storedKey, username } from '../account.ts';
import { backlog } from './backlog.ts';
import { tell } from './tell.ts';

const counts = { messages: 0, octets: 0 };

class DiscardDelivery extends MessageDelivery {
  override validateFrom(): void {}

  override validateTo(): void {}

  override openMessage(): Message {
    return new DiscardedMessage();
  }
}

class DiscardedMessage implements Message {
  readonly keepsChunks = false;

  write(chunk: Uint8Array): void {
    counts.octets += chunk.length;
  }

  end(): void {
    counts.messages += 1;
  }

  abort(): void {}
}

class ScramSecrets implements Checker<ScramSha256Credentials> {
  readonly credentialInterfaces = [ScramSha256Credentials] as const;
  readonly #secrets = new Map([
    [username, new ScramSecret({ hash: 'sha256', salt, iterations, storedKey, serverKey })],
  ]);

  async requestAvatarId(credentials: ScramSha256Credentials): Promise<string> {
    const secret = this.#secrets.get(credentials.username);
    if (secret === undefined || !(await credentials.verify(secret))) throw new UnauthorizedLogin();
    return credentials.username;
  }
}

const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new DiscardDelivery()))
  .register(new InMemoryUsernamePasswordDatabaseDontUse([[username, password]]), UsernamePassword)
  .register(new ScramSecrets());

const listener = await listen({
  endpoint: { host: '127.0.0.1', port: 0 },
  protocol: esmtp({ hostname: 'postern.example.com', portal }),
  limits: { maxConnections: 20_000, maxConnectionsPerClient: 20_000 },
  backlog,
});
tell(listener.address.port, counts);
