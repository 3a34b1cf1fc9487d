import { type ManageSieveEvent, managesieve, SieveBackEnd } from '@postern/managesieve';
import { login, plain } from '@postern/sasl';
import { type DialogueOptions, dialogue, portalFor } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { fakeBackEnd } from '../support/fake-back-end.ts';

const JOE = Buffer.from('\0joe\0s3cret').toString('base64');
const DOOR = Buffer.from('joe\0door\0m4ster').toString('base64');
const GREETING = 'S: "IMPLEMENTATION" "Postern"\nS: "SASL" "PLAIN LOGIN"\nS: "SIEVE" ""\nS: "VERSION" "1.0"\nS: OK';
const ACCEPTED = `
  S: "SASL" "PLAIN"
  S: OK
  C: AUTHENTICATE "PLAIN" {${DOOR.length}+}
  C: ${DOOR}
  S: OK "Logged in."
`;

describe('the state before the login', () => {
  test('greets with its capabilities, and answers CAPABILITY, NOOP and LOGOUT', async () => {
    await talk(String.raw`
      ${GREETING}
      C: capability
      ${GREETING}
      C: NOOP
      S: OK "NOOP completed"
      C: NOOP "STARTTLS-SYNC-42"
      S: OK (TAG "STARTTLS-SYNC-42") "NOOP completed"
      C: NOOP \{3+}
      C: a"b
      S: OK (TAG "a\\"b") "NOOP completed"
      C: LOGOUT
      S: OK "Logging out"
      S: <closed>
    `);
  });

  test('refuses other commands, and discards their literals', async () => {
    await talk(String.raw`
      ${GREETING}
      C: LISTSCRIPTS
      C: PUTSCRIPT "x" \{10+}
      C: <raw LOGOUT\r\n12\r\n>
      C: AUTHENTICATE
      C: AUTHENTICATE PLAIN
      C: AUTHENTICATE "PLAIN" \{4}
      C: AUTHENTICATE "NTLM"
      S: NO "Log in first"
      S: NO "Log in first"
      S: NO "Invalid arguments"
      S: NO "Invalid arguments"
      S: NO "Invalid arguments"
      S: NO "Unsupported authentication mechanism"
      C: PUTSCRIPT "x" \{4294967296+}
      S: NO "Log in first"
      S: BYE "Literal too big"
      S: <closed>
    `);
  });

  test('starts TLS, and sends its capabilities again', async () => {
    await talk(
      String.raw`
      S: "IMPLEMENTATION" "Postern"
      S: "SASL" ""
      S: "STARTTLS"
      S: "SIEVE" ""
      S: "VERSION" "1.0"
      S: OK
      C: AUTHENTICATE "PLAIN"
      S: NO (ENCRYPT-NEEDED) "TLS is required first"
      C: STARTTLS
      S: OK "Begin TLS now"
      C: <starttls>
      ${GREETING}
      C: STARTTLS
      S: NO "TLS cannot start now"
    `,
      undefined,
      { tlsPolicy: 'required' },
    );
  });

  test('refuses a line over the limit, and reads the next one', async () => {
    await talk(String.raw`
      ${GREETING}
      C: {repeat:3000:x}
      S: NO "Line too long"
      C: NOOP
      S: OK "NOOP completed"
    `);
  });

  test('closes when octets follow STARTTLS, and on lines that are no lines', async () => {
    const script = `
      S: "IMPLEMENTATION" "Postern"
      S: "SASL" ""
      S: "STARTTLS"
      S: "SIEVE" ""
      S: "VERSION" "1.0"
      S: OK
      C: STARTTLS
      C: NOOP
      S: NO "TLS cannot start now"
      S: <closed>
    `;
    await talk(script, undefined, { tlsPolicy: 'required' });
    await talk(String.raw`
      ${GREETING}
      C: <raw NOOP\n>
      S: BYE "Invalid line"
      S: <closed>
    `);
  });
});

describe('a login', () => {
  test.each([
    ['an initial response', `C: Authenticate "PLAIN" "${JOE}"`],
    ['a literal', `C: AUTHENTICATE "PLAIN" \\{${JOE.length}+}\nC: ${JOE}`],
    ['a response', `C: AUTHENTICATE "PLAIN"\nS: ""\nC: "${JOE}"`],
    ['a literal response', `C: AUTHENTICATE "PLAIN"\nS: ""\nC: \\{${JOE.length}+}\nC: ${JOE}`],
  ])('with %s passes through to the back end', async (_name, script) => {
    const back = fakeBackEnd(ACCEPTED);
    const events = await talk(
      `
      ${GREETING}
      ${script}
      C: LISTSCRIPTS
      S: OK "Logged in"
      S: * ECHO LISTSCRIPTS
    `,
      back,
    );
    expect(back.transcript.join()).not.toContain('expected');
    expect(events.map(({ kind }) => kind)).toEqual(['connected', 'authenticated', 'proxied', 'closed']);
  });

  test('starts TLS at the back end', async () => {
    const back = fakeBackEnd(
      `
      S: "SASL" ""
      S: "STARTTLS"
      S: OK
      C: STARTTLS
      S: OK
      S: "SASL" "PLAIN"
      S: OK "injected"
      S: <starttls>
      S: "SASL" "PLAIN"
      S: OK
      C: AUTHENTICATE "PLAIN" {${DOOR.length}+}
      C: ${DOOR}
      S: OK
    `,
      'required',
    );
    await talk(`${GREETING}\nC: AUTHENTICATE "PLAIN" "${JOE}"\nS: OK "Logged in"\n`, back);
    expect(back.transcript.join()).not.toContain('expected');
  });

  test('is cancelled with "*", and malformed responses are refused', async () => {
    await talk(String.raw`
      ${GREETING}
      C: AUTHENTICATE "PLAIN"
      S: ""
      C: "*"
      S: NO "Authentication cancelled"
      C: AUTHENTICATE "PLAIN" ""
      S: NO "Malformed authentication response"
      C: AUTHENTICATE "PLAIN"
      S: ""
      C: PLAIN
      S: NO "Invalid arguments"
      C: AUTHENTICATE "PLAIN" "AGpvZQB3cm9uZw=="
      S: NO "Authentication failed"
    `);
  });

  const refused = (reply: string) =>
    `S: "SASL" "PLAIN"\nS: OK\nC: AUTHENTICATE "PLAIN" {${DOOR.length}+}\nC: x\nS: ${reply}`;

  test.each([
    ['refuses', refused('NO "m4ster"'), /refuses the login: NO$/],
    ['says why', refused('BYE (TRYLATER) "m4ster"'), 'the back end refuses the login: BYE (TRYLATER)'],
    ['has a code with text', refused('NO (X "m4ster") "x"'), /refuses the login: NO$/],
    ['is another server', 'S: 220 mx.example.com ESMTP', 'the back end sends lines that are not ManageSieve'],
    ['offers no PLAIN', 'S: "SASL" "EXTERNAL"\nS: OK', 'the back end does not offer PLAIN'],
    ['says no end', 'S: "SIEVE" "x"\n'.repeat(60), 'the back end sends more than 50 lines'],
    ['closes', 'S: <close>', /closed the connection/],
  ])('is temporary when the back end %s', async (_name, script, message) => {
    const back = fakeBackEnd(script);
    const events = await talk(
      `
      ${GREETING}
      C: AUTHENTICATE "PLAIN" "${JOE}"
      S: NO (TRYLATER) "Temporary authentication failure"
      C: NOOP
      S: OK "NOOP completed"
    `,
      back,
    );
    const errors = events.filter((event) => event.kind === 'error');
    expect(errors).toMatchObject([{ culprit: 'operator' }]);
    expect(String(errors[0]?.cause)).toMatch(message);
  });
});

async function talk(script: string, back = fakeBackEnd(''), pipe: DialogueOptions = { tlsPolicy: 'implicit' }) {
  const events: ManageSieveEvent[] = [];
  const account = { username: 'joe', masterUser: 'door', password: 'm4ster' };
  const portal = portalFor({ joe: 's3cret' }, SieveBackEnd, () => new SieveBackEnd({ connect: back.connect, account }));
  const protocol = managesieve({
    hostname: 'sieve.example.com',
    portal,
    challengers: [plain(), login()],
    limits: { minFailureDelay: 0, loginFailureDelay: 0 },
    onEvent: (event) => events.push(event),
  });
  await dialogue(protocol, script, pipe);
  return events;
}
