import { Conversation } from '@postern/conversation';
import { Mailbox } from '@postern/esmtp';
import { BadMessage, mailCommand, rcptCommand, SmtpClient, Unsupported } from '@postern/esmtp/client';
import { plainResponder } from '@postern/sasl/client';
import { memoryPipe } from '@postern/testing';
import { describe, expect, it } from 'vitest';

const joe = new Mailbox('joe', 'example.com');

/** A client of a server with these extensions. */
function clientOf(...extensions: readonly string[]): SmtpClient {
  const conversation = new Conversation(memoryPipe().client);
  const facts = { hostname: 'client.example.com', lmtp: false, trace: () => {}, finalPatience: 1 };
  const client = new SmtpClient(conversation, facts);
  client.extensions = new Map(extensions.map((keyword) => [keyword, '']));
  return client;
}

describe('MAIL', () => {
  it('has the parameters that the server knows', () => {
    const client = clientOf('SIZE', '8BITMIME', 'SMTPUTF8');
    const parameters = { size: 7, body: '8BITMIME', smtpUtf8: true } as const;
    expect(mailCommand(client, joe, parameters)).toBe('MAIL FROM:<joe@example.com> SIZE=7 BODY=8BITMIME SMTPUTF8');
    expect(mailCommand(clientOf(), null, { size: 7, body: '7BIT', smtpUtf8: false })).toBe('MAIL FROM:<>');
  });

  it.each([
    ['8BITMIME', { body: '8BITMIME' }],
    ['SMTPUTF8', { smtpUtf8: true }],
    ['BINARYMIME', { body: 'BINARYMIME' }],
  ] as const)('is not said where the message needs %s, which the server has not', (extension, parameters) => {
    const say = () => mailCommand(clientOf('SIZE'), joe, parameters);
    expect(say).toThrow(Unsupported);
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
  ])('says who submitted the message: %s', (_how, extensions, loggedIn, auth, said) => {
    const client = clientOf(...extensions);
    if (loggedIn) client.responder = plainResponder({ username: 'relay', password: 's3cret' });
    const command = mailCommand(client, joe, auth === undefined ? {} : { auth });
    expect(command).toBe(`MAIL FROM:<joe@example.com>${said === undefined ? '' : ` AUTH=${said}`}`);
  });
});

describe('RCPT', () => {
  it('has the path', () => {
    expect(rcptCommand(clientOf(), new Mailbox('a b', 'example.com'), {})).toBe('RCPT TO:<"a b"@example.com>');
  });
});

describe('a command', () => {
  it.each(['a\r\nb', 'a\nb', 'a\rb', 'a\0b', 'a\ud800b'])('is one line and text, or is not said: %j', (localPart) => {
    const client = clientOf();
    expect(() => client.say(rcptCommand(client, new Mailbox(localPart, 'example.com'), {}))).toThrow(BadMessage);
  });
});
