import { Conversation } from '@postern/conversation';
import { Mailbox } from '@postern/esmtp';
import { BadMessage, mailCommand, rcptCommand, SmtpClient, UnsupportedExtension } from '@postern/esmtp/client';
import { plainResponder } from '@postern/sasl/client';
import { type MemoryPipeOptions, memoryPipe } from '@postern/testing';
import { describe, expect, it } from 'vitest';

const joe = new Mailbox('joe', 'example.com');

/** A client of a server with these extensions. */
function clientOf(...extensions: readonly string[]): SmtpClient {
  return clientOn({}, extensions);
}

/** A client on such a connection. */
function clientOn(pipe: MemoryPipeOptions, extensions: readonly string[], lmtp = false): SmtpClient {
  const conversation = new Conversation(memoryPipe(pipe).client);
  const parts = { hostname: 'client.example.com', lmtp, logDialogue: () => {}, dataTimeout: 1 };
  const client = new SmtpClient(conversation, parts);
  client.extensions = new Map(extensions.map((keyword) => [keyword, '']));
  return client;
}

describe('MAIL', () => {
  it('has the parameters that the server supports', () => {
    const client = clientOf('SIZE', '8BITMIME', 'SMTPUTF8');
    const parameters = { size: 7, body: '8BITMIME', smtpUtf8: true } as const;
    expect(mailCommand(client, joe, parameters)).toBe('MAIL FROM:<joe@example.com> SIZE=7 BODY=8BITMIME SMTPUTF8');
    expect(mailCommand(clientOf(), null, { size: 7, body: '7BIT', smtpUtf8: false })).toBe('MAIL FROM:<>');
  });

  it.each([
    ['8BITMIME', { body: '8BITMIME' }],
    ['SMTPUTF8', { smtpUtf8: true }],
    ['BINARYMIME', { body: 'BINARYMIME' }],
  ] as const)('is not sent if the message needs %s and the server lacks it', (extension, parameters) => {
    const say = () => mailCommand(clientOf('SIZE'), joe, parameters);
    expect(say).toThrow(UnsupportedExtension);
    expect(say).toThrow(extension);
  });

  it.each([
    ['of a server without AUTH', [], false, 'joe@example.com', undefined],
    ['as it is known', ['AUTH'], false, 'joe@example.com', 'joe@example.com'],
    // RFC 4954 §5.1.
    ['as xtext', ['AUTH'], true, 'e=mc2@example.com', 'e+3Dmc2@example.com'],
    ['in UTF-8', ['AUTH'], true, 'j\u00f6+e@example.com', 'j+C3+B6+2Be@example.com'],
    ['as unknown where the client has logged in', ['AUTH'], true, null, '<>'],
    ['as unknown where nobody has said it', ['AUTH'], true, undefined, '<>'],
    ['not at all where the client has not logged in', ['AUTH'], false, null, undefined],
  ])('names the submitter: %s', (_how, extensions, loggedIn, auth, said) => {
    const client = clientOf(...extensions);
    if (loggedIn) client.responder = plainResponder({ username: 'relay', password: 's3cret' });
    const command = mailCommand(client, joe, auth === undefined ? {} : { auth });
    expect(command).toBe(`MAIL FROM:<joe@example.com>${said === undefined ? '' : ` AUTH=${said}`}`);
  });
});

describe('58: DSN', () => {
  it('is sent unchanged to a server with DSN (RFC 3461 §5.2.1)', () => {
    const client = clientOf('DSN');
    expect(mailCommand(client, joe, { ret: 'FULL', envid: 'QQ+2B+41' })).toBe(
      'MAIL FROM:<joe@example.com> RET=FULL ENVID=QQ+2B+41',
    );
    expect(rcptCommand(client, joe, { notify: ['SUCCESS', 'DELAY'], orcpt: 'RFC822;Joe+40x' })).toBe(
      'RCPT TO:<joe@example.com> NOTIFY=SUCCESS,DELAY ORCPT=RFC822;Joe+40x',
    );
    expect(rcptCommand(client, joe, { notify: 'NEVER' })).toBe('RCPT TO:<joe@example.com> NOTIFY=NEVER');
    expect(rcptCommand(client, joe, {})).toBe('RCPT TO:<joe@example.com>');
  });

  it('is not sent to a server without DSN (RFC 3461 §5.2.2)', () => {
    expect(mailCommand(clientOf(), joe, { ret: 'HDRS', envid: 'x' })).toBe('MAIL FROM:<joe@example.com>');
    expect(rcptCommand(clientOf(), joe, { notify: 'NEVER', orcpt: 'rfc822;x' })).toBe('RCPT TO:<joe@example.com>');
  });

  it('57: has the original recipient in ASCII for a server without SMTPUTF8 (RFC 6533 §3)', () => {
    const orcpt = 'utf-8;j\u00f6e\u{1f4ec}\\x{2B}@example.com';
    expect(rcptCommand(clientOf('DSN'), joe, { orcpt })).toBe(
      'RCPT TO:<joe@example.com> ORCPT=utf-8;j\\x{F6}e\\x{1F4EC}\\x{2B}@example.com',
    );
    expect(rcptCommand(clientOf('DSN', 'SMTPUTF8'), joe, { orcpt })).toBe(`RCPT TO:<joe@example.com> ORCPT=${orcpt}`);
  });

  it.each(['a b', 'a SIZE=1', 'a\r\nDATA', '\u00e4', 'a=b'])('rejects the invalid envelope id %j', (envid) => {
    expect(() => mailCommand(clientOf('DSN'), joe, { envid })).toThrow(BadMessage);
  });

  it.each(['joe', 'rfc822;a b', 'rfc822;a NOTIFY=NEVER', 'utf-8;a b', 'utf-8;a\r\nDATA'])(
    'and no original recipient: %j',
    (orcpt) => {
      expect(() => rcptCommand(clientOf('DSN'), joe, { orcpt })).toThrow(BadMessage);
    },
  );
});

describe('62: REQUIRETLS', () => {
  const peerCertificate = { verified: true, subject: 'CN=mx', subjectAltName: undefined, fingerprint256: '00' };
  const parameters = { requireTls: true };
  const required = 'MAIL FROM:<joe@example.com> REQUIRETLS';

  it('is sent over TLS with a verified certificate', () => {
    const client = clientOn({ tlsPolicy: 'implicit', tls: { peerCertificate } }, ['REQUIRETLS']);
    expect(mailCommand(client, joe, parameters)).toBe(required);
    expect(mailCommand(client, null, parameters)).toBe('MAIL FROM:<> REQUIRETLS');
  });

  it.each([
    ['a certificate', { tlsPolicy: 'implicit' }],
    [
      'a certificate that was verified',
      { tlsPolicy: 'implicit', tls: { peerCertificate: { ...peerCertificate, verified: false } } },
    ],
    ['TLS', {}],
    ['TLS on this machine', { server: { family: 'unix', address: '/run/mx', port: 0 } }],
  ] as const)('is refused without %s', (_what, pipe) => {
    const client = clientOn(pipe, ['REQUIRETLS']);
    expect(() => mailCommand(client, joe, parameters)).toThrow(new UnsupportedExtension('STARTTLS'));
    expect(mailCommand(client, null, parameters)).toBe('MAIL FROM:<>');
  });

  it('is refused by a server without it; a notification is sent without it', () => {
    const client = clientOn({ tlsPolicy: 'implicit', tls: { peerCertificate } }, []);
    expect(() => mailCommand(client, joe, parameters)).toThrow(new UnsupportedExtension('REQUIRETLS'));
    expect(mailCommand(client, null, parameters)).toBe('MAIL FROM:<>');
  });

  it('is not needed for LMTP on this machine', () => {
    const unix = { server: { family: 'unix', address: '/run/lmtp', port: 0 } } as const;
    expect(mailCommand(clientOn(unix, [], true), joe, parameters)).toBe('MAIL FROM:<joe@example.com>');
    expect(() => mailCommand(clientOn({}, [], true), joe, parameters)).toThrow(UnsupportedExtension);
  });
});

describe('RCPT', () => {
  it('has the path', () => {
    expect(rcptCommand(clientOf(), new Mailbox('a b', 'example.com'), {})).toBe('RCPT TO:<"a b"@example.com>');
  });
});

describe('a command', () => {
  it.each(['a\r\nb', 'a\nb', 'a\rb', 'a\0b', 'a\ud800b'])('is one line of text, or is not sent: %j', (localPart) => {
    const client = clientOf();
    expect(() => client.say(rcptCommand(client, new Mailbox(localPart, 'example.com'), {}))).toThrow(BadMessage);
  });
});
