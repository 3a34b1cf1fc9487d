import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';
import { bodies, send } from '../wire.ts';

describe('the Bcc of a submitted message', () => {
  test('is removed, and the size counts the message before that', async () => {
    const server = new Server({ service: 'submission', addMissingHeaders: false });
    await server.play(`${GREETED}${LOGIN}${ENVELOPE}
      C: DATA
      S: 354...
      C: From: ann@example.com
      C: Bcc: eve@example.com,
      C: \\tmallory@sales
      C: To: bob@example.com
      C: bCC : trent@example.com
      C: Resent-BCC: peggy@example.com
      C: 
      C: Bcc: is explained here
      C: .
      S: 250...`);
    expect(server.delivery.delivered[0]?.text).toMatch(
      /^Received: [\s\S]*\+0000\r\nFrom: ann@example\.com\r\nTo: bob@example\.com\r\n\r\nBcc: is explained here\r\n$/,
    );
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'message-accepted', octets: 165 }));
  });

  test.each<[string, ServerOptions]>([
    ['at an MX', { service: 'mx' }],
    ['by LMTP', { service: 'lmtp', authentication: 'optional' }],
    ['where a submission server is told so', { service: 'submission', addMissingHeaders: false, removeBcc: false }],
  ])('stays %s', async (_title, options) => {
    expect(await submit('Bcc: eve@example.com\r\n\r\nbody\r\n', options)).toEqual([
      'Bcc: eve@example.com\r\n\r\nbody\r\n',
    ]);
  });

  test.each([
    ['Bcc: eve@example.com\r\n\r\nbody\r\n', '\r\nbody\r\n'],
    ['Bcc: eve@example.com\r\n', ''],
    ['Bcc:\r\nSubject: x\r\n', 'Subject: x\r\n'],
    ['Subject: x\r\nBcc: a\r\n b\r\n c\r\n', 'Subject: x\r\n'],
    ['Subject: x\r\n bcc: no field\r\n\r\n', 'Subject: x\r\n bcc: no field\r\n\r\n'],
    ['Bcc2: x\r\nX-Bcc: y\r\nResent-Bcc-To: z\r\n', 'Bcc2: x\r\nX-Bcc: y\r\nResent-Bcc-To: z\r\n'],
    ['text\r\nBcc: is text\r\n', 'text\r\nBcc: is text\r\n'],
    [' text\r\nBcc: is text\r\n', '\r\n text\r\nBcc: is text\r\n'],
    ['Bcc\r\n', 'Bcc\r\n'],
    ['', ''],
  ])('of %j is removed, however the message is split', async (message, expected) => {
    const options = { removeBcc: true };
    expect(await submit(message, options)).toEqual([expected]);
    expect(await submit(message, options, 'octets')).toEqual([expected]);
    expect(await submit(message, options, 'octets', 'BDAT')).toEqual([expected]);
  });

  test('is removed from a header that gets missing fields', async () => {
    const [text = ''] = await submit('Bcc: a@b\r\nSubject: x\r\nMessage-ID: <x>\r\n\r\n', { service: 'submission' });
    expect(text).toMatch(/^Date: .*\r\nSubject: x\r\nMessage-ID: <x>\r\n\r\n$/);
  });

  test('may have unqualified domains', async () => {
    const options = { service: 'submission' } as const;
    expect(await submit('Bcc: a@sales\r\n\r\n', options)).toHaveLength(1);
    expect(await submit('To: a@sales\r\n\r\n', options)).toHaveLength(0);
  });

  test('is removed if it is longer than the held header may be', async () => {
    const long = `Bcc: ${'x'.repeat(500)}\r\n${` ${'y'.repeat(900)}\r\n`.repeat(200)}`;
    expect(await submit(`${long}Subject: x\r\n\r\n`, { removeBcc: true })).toEqual(['Subject: x\r\n\r\n']);
  });

  test('counts for the size of the message', async () => {
    const message = `Bcc: ${'x'.repeat(900)}\r\n\r\n`;
    expect(await submit(message, { removeBcc: true, limits: { maxMessageSize: 909 } })).toEqual(['\r\n']);
    expect(await submit(message, { removeBcc: true, limits: { maxMessageSize: 908 } })).toEqual([]);
  });

  test('is removed from a last chunk without a line end', async () => {
    expect(await submit('X: y\r\nBcc', { removeBcc: true }, 'whole', 'BDAT')).toEqual(['X: y\r\nBcc']);
    expect(await submit('X: y\r\nBcc:', { removeBcc: true }, 'whole', 'BDAT')).toEqual(['X: y\r\n']);
  });
});

/** The messages delivered, without the trace. */
async function submit(
  message: string,
  options: ServerOptions,
  chunks: 'whole' | 'octets' = 'whole',
  command: 'DATA' | 'BDAT' = 'DATA',
): Promise<string[]> {
  const data = command === 'DATA' ? `DATA\r\n${message}.\r\n` : `BDAT ${message.length} LAST\r\n${message}`;
  const hello = options.service === 'lmtp' ? 'LHLO' : 'EHLO';
  const login = `${hello} client.example.org\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n`;
  const envelope = 'MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\n';
  return bodies(await send(`${login}${envelope}${data}QUIT\r\n`, { chunks }, options));
}
