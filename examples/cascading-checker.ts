// Two user databases behind one portal. The portal asks the local one first, then a service on
// another machine, which may be down. While it is down, its users get a temporary failure and local
// users log in.
import {
  type AvatarId,
  AvatarRealm,
  CascadingChecker,
  checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  LoginDenied,
  type Mind,
  Portal,
  UsernamePassword,
  withDeadline,
} from '@postern/cred';

class Greeting {
  readonly text: string;
  constructor(avatarId: AvatarId) {
    this.text = `Hello, ${String(avatarId)}!`;
  }
}

const ours = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret' });

// A service with the users ann and bob, whose account is disabled.
let isDown = false;
const service = checker([UsernamePassword], async (credentials) => {
  if (isDown) throw new Error('connect ECONNREFUSED');
  if (credentials.username === 'bob') throw new LoginDenied('disabled');
  return credentials.username === 'ann' && credentials.checkPassword('hunter2') ? 'ann' : undefined;
});

const realm = new AvatarRealm().provide(Greeting, (avatarId) => new Greeting(avatarId));
const portal = new Portal(realm).register(CascadingChecker.of(ours, withDeadline(service, 2000)));

await tryToLogIn('joe', 's3cret');
await tryToLogIn('ann', 'hunter2');
await tryToLogIn('ann', 'wrong');
await tryToLogIn('bob', 'whatever');
isDown = true;
await tryToLogIn('joe', 's3cret');
await tryToLogIn('ann', 'hunter2');

async function tryToLogIn(username: string, password: string): Promise<void> {
  try {
    await using login = await portal.login(new UsernamePassword(username, password), someMind(), Greeting);
    console.log(`${username}: ${login.avatar.text}`);
  } catch (error) {
    console.log(`${username}: ${String(error)}`);
  }
}

/** The properties of a client, which a protocol would take from the connection. */
function someMind(): Mind {
  const address = { family: 'IPv4', address: '192.0.2.1', port: 25 } as const;
  const { signal } = new AbortController();
  return {
    protocol: 'example',
    remote: address,
    local: address,
    tls: undefined,
    clientName: undefined,
    signal,
    store: new Map(),
  };
}
