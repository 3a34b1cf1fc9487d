import { LoginDenied, UnauthorizedLogin } from '@postern/cred';
import { describe, expect, test } from 'vitest';
import { fakeBackEnd } from '../support/fake-back-end.ts';
import { ACCEPTED, DOOR_FOR_JOE, GREETING, JOE, NO_DELAYS, talk, WELCOME } from './talk.ts';

describe('a login', () => {
  test.each([
    ['LOGIN with atoms', 'C: a1 LOGIN joe s3cret'],
    ['LOGIN with quoted strings', 'C: a1 login "joe" "s3cret"'],
    ['LOGIN with literals', 'C: a1 LOGIN \\{3}\nS: + OK\nC: joe \\{6}\nS: + OK\nC: s3cret'],
    ['LOGIN with literals of LITERAL-', 'C: a1 LOGIN \\{3+}\nC: joe \\{6+}\nC: s3cret'],
    ['LOGIN with an atom and a literal', 'C: a1 LOGIN joe \\{6+}\nC: s3cret'],
    ['AUTHENTICATE with an initial response', `C: a1 AUTHENTICATE PLAIN ${JOE}`],
    ['AUTHENTICATE without an initial response', `C: a1 authenticate plain\nS: + \nC: ${JOE}`],
    ['AUTHENTICATE with a trailing space', `C: a1 AUTHENTICATE PLAIN \nS: + \nC: ${JOE}`],
    ['AUTHENTICATE LOGIN', 'C: a1 AUTHENTICATE LOGIN\nS: + <any>\nC: am9l\nS: + <any>\nC: czNjcmV0'],
  ])('by %s passes through to the back end', async (_name, script) => {
    const { connect, transcript } = fakeBackEnd(ACCEPTED);
    const events = await talk(
      `
      ${GREETING}
      ${script}
      S: a1 ${WELCOME}
      C: a2 SELECT INBOX
      S: * ECHO a2 SELECT INBOX
    `,
      { connect },
    );
    expect(transcript.slice(1)).toEqual([
      `C: p1 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}`,
      'S: p1 OK [CAPABILITY IMAP4rev1 IDLE STARTTLS AUTH=PLAIN SASL-IR MOVE] Logged in',
      'C: a2 SELECT INBOX',
    ]);
    expect(events.map(({ kind }) => kind)).toEqual(['connected', 'authenticated', 'proxied', 'closed']);
    expect(events[2]).toMatchObject({ avatarId: 'joe', received: 17, sent: 24, reason: 'ended' });
    expect(events[3]).toMatchObject({ reason: 'quit' });
  });

  test('takes escapes in quoted strings, UTF-8 and spaces', async () => {
    const { connect } = fakeBackEnd('S: * PREAUTH [CAPABILITY IMAP4rev1] ready');
    await talk(
      String.raw`
      ${GREETING}
      C: a1 LOGIN "jo\\"é" "pä ss"
      S: a1 OK [CAPABILITY IMAP4rev1] Logged in
    `,
      { connect },
    );
  });

  test('passes on the octets that the client sends behind it, after the back end has accepted', async () => {
    const { connect, transcript } = fakeBackEnd(ACCEPTED);
    await talk(
      `
      ${GREETING}
      C: a1 LOGIN joe s3cret
      C: a2 SELECT INBOX
      C: <raw a3 NOO>
      S: a1 ${WELCOME}
      S: * ECHO a2 SELECT INBOX
      C: P
      S: * ECHO a3 NOOP
    `,
      { connect },
    );
    expect(transcript.slice(-2)).toEqual(['C: a2 SELECT INBOX', 'C: a3 NOOP']);
  });

  test('passes on the lines that the back end sends behind its reply, and none before it', async () => {
    const back = fakeBackEnd(`
      S: * OK [CAPABILITY IMAP4rev1 SASL-IR AUTH=PLAIN] back ready
      C: p1 AUTHENTICATE PLAIN ${DOOR_FOR_JOE}
      S: * OK [ALERT] for the operator
      S: p1 OK [CAPABILITY IMAP4rev1] Logged in
      S: * 3 EXISTS
    `);
    await talk(
      `
      ${GREETING}
      C: a1 LOGIN joe s3cret
      S: a1 OK [CAPABILITY IMAP4rev1] Logged in
      S: * 3 EXISTS
    `,
      back,
    );
  });

  test('closes the back end when the client leaves', async () => {
    const back = fakeBackEnd(ACCEPTED);
    await talk(
      `
      ${GREETING}
      C: a1 LOGIN joe s3cret
      S: a1 ${WELCOME}
      C: <close>
    `,
      back,
    );
    expect(back.connections).toHaveLength(1);
    expect(back.connections[0]?.disconnected).toBe(true);
  });

  test('reaches no back end with a wrong password', async () => {
    const back = fakeBackEnd(ACCEPTED);
    const events = await talk(
      String.raw`
      ${GREETING}
      C: a1 LOGIN joe wrong
      S: a1 NO [AUTHENTICATIONFAILED] Authentication failed
      C: a2 AUTHENTICATE PLAIN AGpvZQB3cm9uZw==
      S: a2 NO [AUTHENTICATIONFAILED] Authentication failed
    `,
      { ...back, imap: { logUsernames: true } },
    );
    expect(back.connections).toEqual([]);
    const refused = events.filter((event) => event.kind === 'login-refused');
    expect(refused).toMatchObject([
      { mechanism: 'LOGIN', username: 'joe', reply: 'a1 NO [AUTHENTICATIONFAILED] Authentication failed' },
      { mechanism: 'PLAIN', username: 'joe' },
    ]);
    expect(refused[0]?.error).toBeInstanceOf(UnauthorizedLogin);
  });

  test('with an identity that the user may not have is refused', async () => {
    const back = fakeBackEnd(ACCEPTED);
    const events = await talk(
      String.raw`
      ${GREETING}
      C: a1 AUTHENTICATE PLAIN ${Buffer.from('ann\0joe\0s3cret').toString('base64')}
      S: a1 NO [AUTHENTICATIONFAILED] Authentication failed
    `,
      back,
    );
    expect(back.connections).toEqual([]);
    expect(events.find((event) => event.kind === 'login-refused')?.error).toBeInstanceOf(LoginDenied);
  });

  test('is cancelled with *, and malformed responses are BAD', async () => {
    await talk(String.raw`
      ${GREETING}
      C: a1 AUTHENTICATE PLAIN
      S: + 
      C: *
      S: a1 BAD Authentication exchange canceled
      C: a2 AUTHENTICATE PLAIN =
      S: a2 BAD Invalid SASL response
      C: a3 AUTHENTICATE PLAIN ====
      S: a3 BAD Invalid SASL response
      C: a4 AUTHENTICATE PLAIN
      S: + 
      C: {repeat:12289:A}
      S: a4 BAD Authentication response too long
    `);
  });

  test('fails too often and closes', async () => {
    await talk(
      String.raw`
      ${GREETING}
      C: a1 LOGIN joe wrong
      S: a1 NO [AUTHENTICATIONFAILED] Authentication failed
      C: a2 LOGIN joe wrong
      S: a2 NO [AUTHENTICATIONFAILED] Authentication failed
      S: * BYE Too many failed logins
      S: <closed>
    `,
      { imap: { limits: { ...NO_DELAYS, maxLoginFailures: 2 } } },
    );
  });
});
