import { AnonymousChecker, AvatarRealm, Identity, identityOf, Portal } from '@postern/cred';
import { type DovecotAuthEvent, dovecotUserdb, MailDirectory } from '@postern/dovecot-auth';
import { dialogue, FakeClock } from '@postern/testing';
import { describe, expect, test } from 'vitest';

/** A site with one user, and with a name whose look-up fails and one whose look-up hangs. */
class Site extends MailDirectory {
  mayUseSender(): boolean {
    return false;
  }

  ownersOf(): readonly string[] {
    return [];
  }

  hasRecipient(recipient: string): boolean | undefined | Promise<boolean> {
    if (recipient === 'broken@example.com') return Promise.reject(new Error('the database is down'));
    if (recipient === 'hung@example.com') return new Promise(() => {});
    if (recipient === 'slow@example.com') return Promise.resolve(true);
    return recipient.endsWith('@example.com')
      ? ['ann@example.com', 'zoë\t@example.com'].includes(recipient)
      : undefined;
  }
}

function portalOf(): Portal {
  const realm = new AvatarRealm().provide(MailDirectory, () => new Site());
  return new Portal(realm).register(new AnonymousChecker());
}

const HANDSHAKE = String.raw`
  S: VERSION\t1\t3
  S: SPID\t<any>
  C: VERSION\t1\t1
`;

async function play(script: string): Promise<DovecotAuthEvent[]> {
  const clock = new FakeClock();
  const events: DovecotAuthEvent[] = [];
  const protocol = dovecotUserdb({ portal: portalOf(), clock, onEvent: (event) => events.push(event) });
  await dialogue(protocol, script, { lineEnding: 'lf', clock });
  return events;
}

describe('dovecotUserdb', () => {
  test('answers which users exist', async () => {
    const events = await play(`${HANDSHAKE}
      C: USER\\t1\\tann@example.com\\tservice=smtp
      S: USER\\t1\\tann@example.com
      C: USER\\t2\\tbob@example.com\\tservice=smtp
      C: USER\\t3\\tbob@example.org
      C: USER\\t4\\tzoë\\x01t@example.com
      C: USER\\t5\\tslow@example.com
      S: NOTFOUND\\t2
      S: NOTFOUND\\t3
      S: USER\\t4\\tzoë\\x01t@example.com
      S: USER\\t5\\tslow@example.com`);
    expect(events).toEqual([]);
  });

  test('answers FAIL where a look-up fails or takes more than eight seconds, with one event', async () => {
    const events = await play(`${HANDSHAKE}
      C: USER\\t1\\tbroken@example.com
      S: FAIL\\t1
      C: USER\\t2\\thung@example.com
      C: <advance 8s>
      S: FAIL\\t2`);
    expect(events).toMatchObject([
      { kind: 'error', culprit: 'us', during: 'USER', cause: { message: 'the database is down' } },
      { kind: 'error', culprit: 'us', during: 'USER', cause: { message: 'the look-up took more than 8000 ms' } },
    ]);
  });

  test('answers FAIL to other requests of the master protocol', async () => {
    await play(`${HANDSHAKE}
      C: LIST\\t1\\tservice=smtp
      C: PASS\\t2\\tann@example.com
      S: FAIL\\t1
      S: FAIL\\t2`);
  });

  test.each([
    ['an unknown command', 'AUTH\\t1\\tPLAIN', 'an unknown command'],
    ['a USER without an id', 'USER\\tann@example.com', 'a USER without a valid id'],
    [
      'the id of an open request',
      'USER\\t1\\thung@example.com\nC: USER\\t1\\thung@example.com',
      'a USER with the id 1 of an open request',
    ],
  ])('closes with one event after %s', async (_title, line, problem) => {
    const events = await play(`${HANDSHAKE}
      C: ${line}
      S: <closed>`);
    expect(events).toMatchObject([{ kind: 'protocol-error', problem }]);
  });

  test('refuses a portal that lets no client in without a name', () => {
    const withoutChecker = new Portal(new AvatarRealm().provide(MailDirectory, () => new Site()));
    expect(() => dovecotUserdb({ portal: withoutChecker })).toThrow('it has no checker for Anonymous');
    const withoutDirectory = new Portal(new AvatarRealm().provide(Identity, identityOf));
    expect(() => dovecotUserdb({ portal: withoutDirectory })).toThrow('its realm provides no MailDirectory');
  });
});
