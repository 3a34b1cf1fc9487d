import { Mailbox, type MessageDelivery, OwnSenderDelivery, Rejection, Reply } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, RecordingDelivery, Server, type ServerOptions } from '../../server.ts';

type Verify = NonNullable<MessageDelivery['verify']>;

/** Plays a script behind a login, with this `verify`. */
async function play(script: string, verify?: Verify, options: ServerOptions = {}): Promise<Server> {
  const server = new Server(options);
  if (verify !== undefined) Object.assign(server.delivery, { verify });
  await server.play(`${GREETED}${LOGIN}${script}`);
  return server;
}

const LEFT_OPEN = 'S: 252 2.0.0 Cannot verify, but will take mail and try';

describe('14: VRFY', () => {
  test('is 250 with the mailbox that the delivery returns, and otherwise 252', async () => {
    const asked: string[] = [];
    await play(
      `
      C: VRFY bob
      S: 250 2.1.5 bob@example.com
      C: vrfy <bob@example.com>
      ${LEFT_OPEN}
      C: VRFY "Bob B." the builder
      ${LEFT_OPEN}
      C: VRFY
      S: 501 5.5.4 Syntax error in the argument`,
      (text) => {
        asked.push(text);
        return text === 'bob' ? new Mailbox('bob', 'example.com') : undefined;
      },
    );
    expect(asked).toEqual(['bob', '<bob@example.com>', '"Bob B." the builder']);
  });

  test('waits for the delivery', async () => {
    await play('\nC: VRFY bob\nC: NOOP\nS: 250 2.1.5 "b o b"@example.com\nS: 250 2.0.0 OK', async () => {
      await Promise.resolve();
      return new Mailbox('b o b', 'example.com');
    });
  });

  test('is 252 for a delivery without verify, and without a login', async () => {
    await play(`\nC: VRFY bob\n${LEFT_OPEN}`);
    const server = new Server({ authentication: 'optional', allowAnonymous: true });
    Object.assign(server.delivery, { verify: () => new Mailbox('bob', 'example.com') });
    await server.play(`${GREETED}\nC: VRFY bob\n${LEFT_OPEN}${ENVELOPE}\nC: VRFY bob\nS: 250 2.1.5 bob@example.com`);
  });

  test('changes nothing in a transaction', async () => {
    await play(`${ENVELOPE}\nC: VRFY bob\n${LEFT_OPEN}\nC: DATA\nS: 354...\nC: .\nS: 250...`);
  });

  test('is refused with the reply of the delivery, and a failure of it is 451', async () => {
    const bug = new Error('no database');
    const server = await play(
      `
      C: VRFY smith
      S: 553 5.1.4 Which Smith?
      C: VRFY nobody
      S: 550 5.1.1 No such mailbox
      C: VRFY bob
      S: 451 4.3.0 Something went wrong here, try again later`,
      (text) => {
        if (text === 'smith') throw new Rejection(553, '5.1.4', 'Which Smith?');
        if (text === 'nobody') throw new Rejection(550, '5.1.1', 'No such mailbox');
        return Promise.reject(bug);
      },
    );
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', during: 'VRFY', cause: bug }));
  });

  test('needs authentication where that is required; EXPN is 502', async () => {
    await new Server().play(`${GREETED}\nC: VRFY bob\nS: 530 5.7.0 Authentication required`);
    await play('\nC: EXPN list\nS: 502 5.5.1 Command not implemented');
  });

  test('reaches the delivery behind OwnSenderDelivery', async () => {
    const delivery = new RecordingDelivery();
    const guarded = new OwnSenderDelivery(delivery, { avatarId: 'ann' });
    expect(guarded.verify('bob')).toBeUndefined();
    Object.assign(delivery, { verify: (text: string) => new Mailbox(text, 'example.com') });
    expect(await guarded.verify('bob')).toEqual(new Mailbox('bob', 'example.com'));
  });
});

describe('57: UTF-8 in replies', () => {
  const verify: Verify = (text) => new Mailbox(text, 'exämple.com');

  test('is in the reply to VRFY with SMTPUTF8', async () => {
    await play(
      `
      C: VRFY bö SMTPUTF8
      S: 250 2.1.5 bö@exämple.com
      C: VRFY bö smtputf8
      S: 250 2.1.5 bö@exämple.com
      C: VRFY SMTPUTF8 SMTPUTF8
      S: 250 2.1.5 SMTPUTF8@exämple.com`,
      verify,
    );
  });

  test('is not in the reply to VRFY without SMTPUTF8', async () => {
    const untold = 'S: 252 2.6.8 Mailbox exists, but its name requires SMTPUTF8';
    await play(
      `\nC: VRFY bö\n${untold}\nC: VRFY bö SMTPUTF8\nS: 250 2.1.5 bö@exämple.com\nC: VRFY bö\n${untold}\nC: VRFY SMTPUTF8\n${untold}`,
      verify,
    );
  });

  test('VRFY refuses a value of SMTPUTF8, and octets other than UTF-8', async () => {
    await play(
      `
      C: VRFY bob SMTPUTF8=yes
      S: 501 5.5.4 Syntax error in the argument
      C: VRFY b\\xf6b SMTPUTF8
      S: 501 5.5.4 Syntax error in the argument`,
      verify,
    );
  });

  test.each([
    ['bob\r\n250 2.1.5 eve', 'S: 250 2.1.5 "bob??250 2.1.5 eve"@ex?mple.com'],
    ['b\x85b', 'S: 250 2.1.5 b?b@ex?mple.com'],
  ])('cannot forge a reply: %j', async (localPart, reply) => {
    await play(`\nC: VRFY x SMTPUTF8\n${reply}\nC: NOOP\nS: 250 2.0.0 OK`, () => new Mailbox(localPart, 'exämple.com'));
  });

  test('is in a 551 after MAIL with SMTPUTF8; otherwise the reply is 550', async () => {
    const server = new Server();
    server.delivery.onTo = ({ localPart }) => {
      throw new Rejection(551, '5.1.6', localPart === 'ann' ? 'Try <ann@example.org>' : 'Try <bö@exämple.org>');
    };
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com> SMTPUTF8
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 551 5.1.6 Try <bö@exämple.org>
      C: RSET
      S: 250...
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<bob@example.com>
      S: 550 5.6.8 User not local; the address to try requires SMTPUTF8
      C: RCPT TO:<ann@example.com>
      S: 551 5.1.6 Try <ann@example.org>`);
  });

  test('is in no other reply', async () => {
    const server = new Server();
    server.delivery.onTo = () => {
      throw new Rejection(550, '5.1.1', 'bö gibt es nicht');
    };
    server.delivery.onEnd = () => Promise.reject(new Rejection(554, '5.6.9', 'bö kann das nicht lesen'));
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com> SMTPUTF8
      S: 250...
      C: RCPT TO:<bö@example.com>
      S: 550 5.1.1 b? gibt es nicht`);
    server.delivery.onTo = () => {};
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<ann@example.com> SMTPUTF8
      S: 250...
      C: RCPT TO:<bö@example.com>
      S: 250...
      C: BDAT 0 LAST
      S: 554 5.6.9 b? kann das nicht lesen`);
  });

  test('is in no line of more than 512 octets', () => {
    const long = new Reply(250, '2.1.5', 'ö'.repeat(300));
    expect(long.isAscii).toBe(true);
    expect(String(long.inUtf8())).toBe(`250 2.1.5 ${'?'.repeat(300)}\r\n`);
    const short = new Reply(250, '2.1.5', 'ö'.repeat(248), 'x');
    expect(short.isAscii).toBe(false);
    expect(String(short.inUtf8())).toBe(`250-2.1.5 ${'ö'.repeat(248)}\r\n250 2.1.5 x\r\n`);
    expect(String(short)).toBe(`250-2.1.5 ${'?'.repeat(248)}\r\n250 2.1.5 x\r\n`);
  });
});
