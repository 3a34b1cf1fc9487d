// One portal, two protocols, two kinds of avatar: joe sends a message to himself by ESMTP, and
// reads it by a small protocol of this file.
//
//   ESMTP on the port given (2500), asks for a MessageDelivery
//   LOGIN name password, LIST, BYE on the next port, asks for an Inbox
import { once } from 'node:events';
import type { Conversation } from '@postern/conversation';
import {
  type AvatarId,
  AvatarRealm,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Login,
  type Mind,
  Portal,
  UsernamePassword,
} from '@postern/cred';
import { type Envelope, esmtp, type Message, MessageDelivery } from '@postern/esmtp';
import { serve } from '@postern/node';
import { withThrottle } from '@postern/throttle';

/** The avatar of a user who reads. */
class Inbox {
  readonly subjects: readonly string[];
  constructor(subjects: readonly string[]) {
    this.subjects = subjects;
  }
}

/** The avatar of a user who sends. Every inbox takes the messages. */
class Outbox extends MessageDelivery {
  validateFrom(): void {}
  validateTo(): void {}

  openMessage({ recipients }: Envelope): Message {
    let message = '';
    return {
      write(chunk) {
        message += Buffer.from(chunk).toString('latin1');
      },
      end() {
        const subject = /^Subject: *(.*)$/im.exec(message)?.[1] ?? '(none)';
        for (const { forwardPath } of recipients) subjectsOf(forwardPath.localPart).push(subject);
      },
      abort() {},
    };
  }
}

const inboxes = new Map<AvatarId, string[]>();
function subjectsOf(user: AvatarId): string[] {
  const subjects = inboxes.get(user) ?? [];
  inboxes.set(user, subjects);
  return subjects;
}

const realm = new AvatarRealm()
  .provide(MessageDelivery, () => new Outbox())
  .provide(Inbox, (avatarId) => new Inbox(subjectsOf(avatarId)));
const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 'hunter2' });
const portal = new Portal(realm).register(withThrottle(users));

/** A protocol is an async function of a conversation. */
async function readInbox(conversation: Conversation): Promise<void> {
  let login: Login<Inbox> | undefined;
  try {
    for (;;) {
      const line = await conversation.hearLine(512);
      if (line === undefined) return;
      const [verb, name = '', password = ''] = line.split(' ');
      if (verb === 'LOGIN' && login === undefined) {
        const credentials = new UsernamePassword(name, password);
        login = await Promise.resolve(portal.login(credentials, mindOf(conversation), Inbox)).catch(() => undefined);
        conversation.say(login === undefined ? 'no\r\n' : 'welcome\r\n');
      } else if (verb === 'LIST' && login !== undefined) {
        conversation.say(`${login.avatar.subjects.join('; ') || 'nothing'}\r\n`);
      } else if (verb === 'BYE') {
        return conversation.say('bye\r\n');
      } else {
        conversation.say('what?\r\n');
      }
    }
  } finally {
    await login?.logout();
  }
}

function mindOf({ transport: { remote, local, tls }, signal }: Conversation): Mind {
  return { protocol: 'inbox', remote, local, tls, clientName: undefined, signal, store: new Map() };
}

const port = Number(process.argv[2] ?? 2500);
await using server = await serve({
  listeners: [
    { endpoint: { scheme: 'smtp', host: 'localhost', port }, protocol: esmtp({ hostname: 'localhost', portal }) },
    { endpoint: { scheme: 'inbox', host: 'localhost', port: port === 0 ? 0 : port + 1 }, protocol: readInbox },
  ],
  portal,
});
for (const { url } of server.listeners) console.log(`listening ${url}`);
await Promise.race(['SIGINT', 'SIGTERM'].map((signal) => once(process, signal)));
