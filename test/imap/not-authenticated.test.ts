import { describe, expect, test } from 'vitest';
import { GREETING, talk } from './talk.ts';

describe('the not authenticated state', () => {
  test('greets with its capabilities, and answers CAPABILITY, NOOP, ID and LOGOUT', async () => {
    await talk(String.raw`
      ${GREETING}
      C: a1 CAPABILITY
      S: * CAPABILITY IMAP4rev1 LITERAL- SASL-IR ID AUTH=PLAIN AUTH=LOGIN
      S: a1 OK CAPABILITY completed
      C: a2 noop
      S: a2 OK NOOP completed
      C: a3 ID ("name" "curl" "version" NIL)
      C: a4 id nil
      C: a5 ID ()
      S: * ID ("name" "Postern")
      S: a3 OK ID completed
      S: * ID ("name" "Postern")
      S: a4 OK ID completed
      S: * ID ("name" "Postern")
      S: a5 OK ID completed
      C: a6 LOGOUT
      C: a7 NOOP
      S: * BYE Logging out
      S: a6 OK LOGOUT completed
      S: <closed>
    `);
  });

  test('refuses commands of other states, unknown ones, and wrong arguments with BAD', async () => {
    const events = await talk(String.raw`
      ${GREETING}
      C: a1 SELECT INBOX
      C: a2 ENABLE CONDSTORE
      C: a3 constructor
      C: a4 NOOP now
      C: a5 ID ("name")
      C: a6 AUTHENTICATE
      C: a7 LOGIN joe
      C: a8
      S: a1 BAD Unknown command, or not allowed before login
      S: a2 BAD Unknown command, or not allowed before login
      S: a3 BAD Unknown command, or not allowed before login
      S: a4 BAD Invalid arguments
      S: a5 BAD Invalid arguments
      S: a6 BAD Invalid arguments
      S: a7 BAD Invalid arguments
      S: * BAD Invalid tag
    `);
    expect(events.filter(({ kind }) => kind === 'command-refused')).toHaveLength(8);
  });

  test.each(['*', '+', 'a+b', 'a"b', 'a{1}', 'é', String.raw`a\\b`, 'a(', 'a'.repeat(65)])(
    'sends the invalid tag %s to no client',
    async (tag) => {
      await talk(`
        ${GREETING}
        C: ${tag.replaceAll('{', String.raw`\{`)} NOOP
        S: * BAD Invalid tag
      `);
    },
  );

  test('closes after too many errors', async () => {
    await talk(
      String.raw`
      ${GREETING}
      C: a1 NOPE
      C: a2 NOPE
      S: a1 BAD Unknown command, or not allowed before login
      S: * BYE Too many errors
      S: <closed>
    `,
      { imap: { limits: { maxErrors: 2 } } },
    );
  });

  test('closes on a bare LF, on HTTP and on TLS to a plain port', async () => {
    await talk(String.raw`
      ${GREETING}
      C: <raw a1 NOOP\na2 NOOP\r\n>
      S: * BYE A line ends with CR and LF
      S: <closed>
    `);
    await talk(String.raw`
      ${GREETING}
      C: a1 LOGIN joe \{6+}
      C: <raw s3cret\n>
      S: * BYE A line ends with CR and LF
      S: <closed>
    `);
    await talk(String.raw`
      ${GREETING}
      C: GET / HTTP/1.1
      S: * BYE This is an IMAP server
      S: <closed>
    `);
    await talk(
      String.raw`
      ${GREETING}
      C: <raw \x16\x03\x01>
      S: * BYE This is an IMAP server
      S: <closed>
    `,
      { imap: { mechanismPolicy: { allowCleartext: true } }, pipe: { tlsPolicy: 'none' } },
    );
  });

  test('refuses a line that is too long', async () => {
    await talk(String.raw`
      ${GREETING}
      C: a1 NOOP {repeat:9000:x}
      C: a2 NOOP {repeat:13000:x}
      C: a3 NOOP
      S: a1 BAD [TOOBIG] Command line too long
      S: a2 BAD [TOOBIG] Command line too long
      S: a3 OK NOOP completed
    `);
  });

  test('says BYE after the idle time and when the server shuts down', async () => {
    await talk(String.raw`
      ${GREETING}
      C: <advance 301s>
      S: * BYE Autologout; took too long
      S: <closed>
    `);
    await talk(String.raw`
      ${GREETING}
      C: <closing>
      S: * BYE [UNAVAILABLE] Shutting down, try again later
      S: <closed>
    `);
  });

  test('discards the octets of literals that are not asked for', async () => {
    await talk(String.raw`
      ${GREETING}
      C: a1 SELECT \{14+}
      C: <raw a9 LOGOUT\r\n\r\n\{2+}\r\nxx\r\n>
      C: a2 ID ("name" \{3+}
      C: x"y)
      C: a3 SELECT \{14}
      C: a4 NOOP
      S: a1 BAD Unknown command, or not allowed before login
      S: * BAD Invalid tag
      S: a2 BAD Invalid arguments
      S: a3 BAD Unknown command, or not allowed before login
      S: a4 OK NOOP completed
    `);
  });

  test.each(['4097', '4294967296', '18446744073709551616'])(
    'closes without reading a literal of %s octets that is not asked for',
    async (octets) => {
      await talk(String.raw`
      ${GREETING}
      C: a1 LOGIN \{${octets}+}
      C: a2 NOOP
      S: a1 BAD [TOOBIG] Literal too big
      S: * BYE [TOOBIG] Literal too big
      S: <closed>
    `);
    },
  );

  test('bounds the literals of one command together, and their number', async () => {
    await talk(String.raw`
      ${GREETING}
      C: a1 X \{4000+}
      C: <raw {repeat:4000:x} \{4000+}\r\n>
      S: a1 BAD Unknown command, or not allowed before login
      S: * BYE [TOOBIG] Literal too big
      S: <closed>
    `);
    await talk(
      String.raw`
      ${GREETING}
      C: a1 X \{0+}
      C: <raw {repeat:300:\x7b0+\x7d\r\n}>
      S: a1 BAD Unknown command, or not allowed before login
      S: * BYE [TOOBIG] Literal too big
      S: <closed>
    `,
      { imap: { limits: { maxLiteral: 255 } } },
    );
  });

  test('refuses a synchronizing literal that is too big, and keeps the connection', async () => {
    await talk(String.raw`
      ${GREETING}
      C: a1 LOGIN \{4294967296}
      S: a1 BAD [TOOBIG] Literal too big
      C: a2 NOOP
      S: a2 OK NOOP completed
    `);
  });
});

describe('STARTTLS', () => {
  test('begins the session again, with the capabilities of TLS', async () => {
    await talk(
      String.raw`
      S: * OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ID STARTTLS LOGINDISABLED] imap.example.com ready
      C: a1 LOGIN joe s3cret
      S: a1 NO [PRIVACYREQUIRED] TLS is required, issue STARTTLS first
      C: a2 LOGIN \{3}
      S: a2 NO [PRIVACYREQUIRED] TLS is required, issue STARTTLS first
      C: a3 LOGIN \{3+}
      C: joe \{6+}
      C: s3cret
      S: a3 NO [PRIVACYREQUIRED] TLS is required, issue STARTTLS first
      C: a4 AUTHENTICATE PLAIN
      S: a4 NO [PRIVACYREQUIRED] TLS is required, issue STARTTLS first
      C: a5 AUTHENTICATE NTLM
      S: a5 NO Unsupported authentication mechanism
      C: a6 STARTTLS now
      S: a6 BAD Invalid arguments
      C: a7 STARTTLS
      S: a7 OK Begin TLS negotiation now
      C: <starttls>
      C: b1 CAPABILITY
      S: * CAPABILITY IMAP4rev1 LITERAL- SASL-IR ID AUTH=PLAIN AUTH=LOGIN
      S: b1 OK CAPABILITY completed
      C: b2 STARTTLS
      S: b2 BAD TLS is active already
    `,
      { pipe: { tlsPolicy: 'required' } },
    );
  });

  test('closes when octets follow it in the clear', async () => {
    await talk(
      String.raw`
      S: <any>
      C: a1 STARTTLS
      C: a2 LOGIN joe s3cret
      S: * BYE Nothing may be sent behind STARTTLS
      S: <closed>
    `,
      { pipe: { tlsPolicy: 'offered' } },
    );
  });

  test('is refused where the endpoint has no TLS', async () => {
    await talk(
      String.raw`
      S: * OK [CAPABILITY IMAP4rev1 LITERAL- SASL-IR ID LOGINDISABLED] imap.example.com ready
      C: a1 STARTTLS
      S: a1 BAD STARTTLS is not available
    `,
      { pipe: { tlsPolicy: 'none' } },
    );
  });
});
