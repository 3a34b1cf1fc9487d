import { inspect } from 'node:util';
import { ImapBackEnd, type ImapBackEndOptions, type ImapEvent } from '@postern/imap';
import { BackEndUnavailable } from '@postern/sasl-profile';
import { memoryPipe } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { fakeBackEnd } from '../support/fake-back-end.ts';
import { DOOR_FOR_JOE, GREETING, talk, WELCOME } from './talk.ts';

describe('the login at the back end', () => {
  test('asks for capabilities, starts TLS, and forgets what came before it', async () => {
    const back = fakeBackEnd(
      `
      S: * OK back ready
      C: p1 CAPABILITY
      S: * CAPABILITY IMAP4rev1 STARTTLS AUTH=PLAIN SASL-IR
      S: p1 OK done
      C: p2 STARTTLS
      S: p2 OK begin
      S: * CAPABILITY IMAP4rev1 INJECTED SASL-IR AUTH=PLAIN
      S: <starttls>
      C: p3 CAPABILITY
      S: * CAPABILITY IMAP4rev1 AUTH=PLAIN
      S: p3 OK done
      C: p4 AUTHENTICATE PLAIN
      S: +
      C: ${DOOR_FOR_JOE}
      S: p4 OK Logged in
      C: p5 CAPABILITY
      S: * CAPABILITY IMAP4rev1 NAMESPACE
      S: p5 OK done
    `,
      'required',
    );
    await loginWith(back, 'S: a1 OK [CAPABILITY IMAP4rev1 NAMESPACE] Logged in');
    expect(back.transcript.filter((line) => line.includes('expected'))).toEqual([]);
  });

  test('uses LOGIN where the server has no AUTH=PLAIN, with the separator of master users', async () => {
    const back = fakeBackEnd(String.raw`
      S: * OK [CAPABILITY IMAP4rev1] back ready
      C: p1 LOGIN "joe*door" "m4\"st\\er"
      S: p1 OK [CAPABILITY IMAP4rev1 IDLE MOVE] Logged in
    `);
    const account = { username: 'joe', masterUser: 'door', masterSeparator: '*', password: String.raw`m4"st\er` };
    await loginWith(back, `S: a1 ${WELCOME}`, { account });
    expect(back.transcript[1]).not.toContain('expected');
  });

  test('sends the client’s address by ID before the login if the option says so', async () => {
    const back = fakeBackEnd(`
      S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN ID] back ready
      C: p1 ID ("x-originating-ip" "192.0.2.1" "x-originating-port" "40000" "x-connected-ip" "192.0.2.25" "x-connected-port" "587")
      S: * ID NIL
      S: p1 OK done
      C: p2 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}
      S: p2 OK [CAPABILITY IMAP4rev1 IDLE MOVE] Logged in
    `);
    await loginWith(back, `S: a1 ${WELCOME}`, { forwardClientAddress: true });
    expect(back.transcript.filter((line) => line.includes('expected'))).toEqual([]);
  });

  test('drops capabilities that could break the response code', async () => {
    const back = fakeBackEnd(`
      S: * PREAUTH ready
      C: p1 CAPABILITY
      S: * CAPABILITY IMAP4rev1 X]evil IDLE \x01 AUTH=PLAIN
      S: p1 OK done
    `);
    await loginWith(back, 'S: a1 OK [CAPABILITY IMAP4rev1 IDLE] Logged in');
  });

  test.each([
    ['greets with BYE', 'S: * BYE too many users', 'the back end refuses the connection: BYE too many users'],
    ['speaks SMTP', 'S: 220 mx.example.com ESMTP', 'the back end does not greet as an IMAP server'],
    ['closes at once', 'S: <close>', 'the login at the back end broke off'],
    [
      'refuses the master user',
      `S: * OK [CAPABILITY SASL-IR AUTH=PLAIN] hi\nC: p1 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}\nS: p1 NO [AUTHENTICATIONFAILED] m4ster is wrong`,
      'the back end refuses the login: NO [AUTHENTICATIONFAILED]',
    ],
    [
      'says BYE in the login',
      `S: * OK [CAPABILITY SASL-IR AUTH=PLAIN] hi\nC: p1 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}\nS: * BYE m4ster`,
      'the back end ends the connection: BYE',
    ],
    [
      'asks for more',
      `S: * OK [CAPABILITY SASL-IR AUTH=PLAIN] hi\nC: p1 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}\nS: + more`,
      'the back end asks for more than the command has',
    ],
    [
      'speaks garbage',
      `S: * OK [CAPABILITY SASL-IR AUTH=PLAIN] hi\nC: p1 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}\nS: p1 OKAY`,
      'the back end sends lines that are not IMAP',
    ],
    [
      'sends lines without end',
      `S: * OK [CAPABILITY SASL-IR AUTH=PLAIN] hi\nC: p1 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}\n${'S: * OK still here\n'.repeat(100)}`,
      'the back end sends more than 100 lines',
    ],
    ['sends a line without end', `S: * OK ${'x'.repeat(9000)}`, 'the login at the back end broke off'],
    [
      'offers nothing',
      'S: * OK [CAPABILITY IMAP4rev1 LOGINDISABLED] hi',
      'the back end does not offer AUTH=PLAIN, which this account needs',
    ],
    [
      'greets and hangs',
      'S: * OK hi\nC: p1 CAPABILITY\nS: <hang>',
      'the login at the back end took more than 10000 ms',
    ],
    ['hangs', 'S: <hang>', 'the login at the back end took more than 10000 ms'],
  ])('is unavailable for the client when the back end %s', async (_name, script, message) => {
    const back = fakeBackEnd(script);
    const events = await talk(
      `
      ${GREETING}
      C: a1 LOGIN joe s3cret
      C: <advance 11s>
      S: a1 NO [UNAVAILABLE] Temporary authentication failure
      C: a2 NOOP
      S: a2 OK NOOP completed
    `,
      back,
    );
    expectOneError(events, message);
    expect(back.connections[0]?.disconnected).toBe(true);
  });

  test('is unavailable when the back end is down, or connects too late', async () => {
    const down = await talk(
      `
      ${GREETING}
      C: a1 LOGIN joe s3cret
      S: a1 NO [UNAVAILABLE] Temporary authentication failure
    `,
      { connect: () => Promise.reject(new Error('connect ECONNREFUSED 127.0.0.1:143')) },
    );
    expectOneError(down, 'the login at the back end broke off');
    const { client, server } = memoryPipe();
    const late = Promise.withResolvers<typeof client>();
    let aborted = false;
    const slow = await talk(
      `
      ${GREETING}
      C: a1 LOGIN joe s3cret
      C: <advance 11s>
      S: a1 NO [UNAVAILABLE] Temporary authentication failure
    `,
      {
        connect: (signal) => {
          signal.addEventListener('abort', () => {
            aborted = true;
            late.resolve(client);
          });
          return late.promise;
        },
      },
    );
    expectOneError(slow, 'the login at the back end took more than 10000 ms');
    expect(slow.find(({ kind }) => kind === 'error')).not.toHaveProperty('cause.cause');
    expect(aborted).toBe(true);
    expect(client.closed).toBe(true);
    expect(server.read()).toBe('ended');
  });

  test.each([
    ['no STARTTLS', 'S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi', 'the back end offers no STARTTLS'],
    ['PREAUTH', 'S: * PREAUTH hi', 'the back end greets with PREAUTH before the required TLS'],
    [
      'a refusal',
      'S: * OK [CAPABILITY STARTTLS] hi\nC: p1 STARTTLS\nS: p1 NO not now',
      'the back end refuses STARTTLS: NO',
    ],
  ])('sends no password to a back end with %s where TLS is required', async (_name, script, message) => {
    const back = fakeBackEnd(script, 'required');
    expectOneError(await refused(back), message);
    expect(back.transcript.join()).not.toContain('AUTHENTICATE');
  });

  test('sends no password in the clear to another machine that offers no TLS', async () => {
    const back = fakeBackEnd('S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi', 'offered');
    expectOneError(
      await refused(back),
      'the back end offers no TLS; expected a connection with TLS, or the policy none',
    );
  });

  test('wants an account unless the back end greets with PREAUTH', async () => {
    const back = fakeBackEnd('S: * OK [CAPABILITY IMAP4rev1 AUTH=PLAIN] hi');
    const message = 'the back end wants a login; expected the option account, or a greeting of PREAUTH';
    expectOneError(await refused(back, { account: undefined }), message);
  });

  test('ends when the client leaves', async () => {
    const back = fakeBackEnd('S: <hang>');
    await talk(
      `
      ${GREETING}
      C: a1 LOGIN joe s3cret
      C: <close>
    `,
      back,
    );
    expect(back.connections[0]?.disconnected).toBe(true);
  });
});

describe('an account at a back end', () => {
  test.each([
    ['an empty name', { username: '' }],
    ['a long name', { username: 'x'.repeat(256) }],
    ['NUL', { username: 'joe\0door' }],
    ['CR and LF', { username: 'joe\r\na1 LOGOUT' }],
    ['a lone surrogate', { username: 'joe\ud800' }],
    ['the separator', { username: 'joe*ann', masterUser: 'door', masterSeparator: '*' }],
    ['the separator in the master user', { username: 'joe', masterUser: 'do*or', masterSeparator: '*' }],
    ['an empty separator', { username: 'joe', masterUser: 'door', masterSeparator: '' }],
    ['NUL in the master user', { username: 'joe', masterUser: 'do\0or' }],
    ['NUL in the password', { username: 'joe', password: 'a\0b' }],
  ])('is refused for %s', (_name, account) => {
    const connect = () => memoryPipe().client;
    expect(() => new ImapBackEnd({ connect, account: { password: 'm4ster', ...account } })).toThrow(RangeError);
  });

  test('shows its password to no log', () => {
    const backEnd = new ImapBackEnd({
      connect: () => memoryPipe().client,
      account: { username: 'joe', password: 'm4ster' },
    });
    expect(JSON.stringify(backEnd)).not.toContain('m4ster');
    expect(inspect(backEnd, { depth: 9 })).not.toContain('m4ster');
  });

  test('needs a function that connects', () => {
    expect(() => new ImapBackEnd({ connect: memoryPipe().client as never })).toThrow(TypeError);
  });
});

async function loginWith(back: Back, welcome: string, backEnd: Partial<ImapBackEndOptions> = {}): Promise<void> {
  await talk(`${GREETING}\nC: a1 LOGIN joe s3cret\n${welcome}\n`, { ...back, backEnd });
}

function refused(back: Back, backEnd: Partial<ImapBackEndOptions> = {}): Promise<readonly ImapEvent[]> {
  const script = `${GREETING}\nC: a1 LOGIN joe s3cret\nS: a1 NO [UNAVAILABLE] Temporary authentication failure\n`;
  return talk(script, { ...back, backEnd });
}

/** Expects one error of the operator without a secret, and no failed login of the client. */
function expectOneError(events: readonly ImapEvent[], message: string): void {
  const errors = events.filter((event) => event.kind === 'error');
  expect(errors).toMatchObject([{ culprit: 'operator', during: 'LOGIN' }]);
  expect(errors[0]?.cause).toBeInstanceOf(BackEndUnavailable);
  expect(errors[0]?.cause).toMatchObject({ message });
  expect(events.some(({ kind }) => kind === 'login-refused' || kind === 'authenticated')).toBe(false);
}

type Back = ReturnType<typeof fakeBackEnd>;
