import { LineTooLong } from '@postern/conversation';
import { LoginDenied, NoAvatar, TemporaryFailure, UnauthorizedLogin, UnhandledCredentials } from '@postern/cred';
import { MailboxInUse } from '@postern/pop3';
import { ExchangeCancelled, MalformedResponse } from '@postern/sasl';
import { loginRefusalOf } from '@postern/sasl-profile';
import { describe, expect, test } from 'vitest';
import { closingReplies, replyForLine, replyForLogin } from '../../packages/imap/src/error-replies.ts';

describe('the reply to a failed login', () => {
  test.each([
    [new UnauthorizedLogin(), 'NO [AUTHENTICATIONFAILED] Authentication failed'],
    [new LoginDenied('disabled'), 'NO [AUTHENTICATIONFAILED] Authentication failed'],
    [new LoginDenied('expired'), 'NO [AUTHENTICATIONFAILED] Authentication failed'],
    [new LoginDenied('not-authorized'), 'NO [AUTHENTICATIONFAILED] Authentication failed'],
    [new LoginDenied('policy'), 'NO [AUTHENTICATIONFAILED] Authentication failed'],
    [new LoginDenied('mechanism-too-weak'), 'NO [CONTACTADMIN] Authentication mechanism is too weak'],
    [new LoginDenied('transition-needed'), 'NO [CONTACTADMIN] A password transition is needed'],
    [new LoginDenied('too-many'), 'NO [UNAVAILABLE] Temporary authentication failure'],
    [new TemporaryFailure('the database is down'), 'NO [UNAVAILABLE] Temporary authentication failure'],
    [new MailboxInUse(), 'NO [INUSE] Mailbox is in use'],
    [new NoAvatar('no mailbox'), 'NO [CONTACTADMIN] No mailbox for this user'],
    [new UnhandledCredentials('no checker'), 'NO Unsupported authentication mechanism'],
    [new ExchangeCancelled(), 'BAD Authentication exchange canceled'],
    [new MalformedResponse('no base64', 'encoding'), 'BAD Invalid SASL response'],
    [new MalformedResponse('too long', 'too-long'), 'BAD Authentication response too long'],
    [new MalformedResponse('not now', 'unexpected-initial-response'), 'BAD This mechanism takes no initial response'],
  ])('of %s is %s', (error, reply) => {
    expect(replyForLogin(loginRefusalOf(error), 'AUTHENTICATE')).toBe(reply);
  });

  test('names the command LOGIN where it is disabled', () => {
    expect(replyForLogin('not-offered', 'LOGIN')).toBe('NO LOGIN is disabled, use AUTHENTICATE');
  });
});

test('the reply to a line that is too long has its tag', () => {
  expect(replyForLine(new LineTooLong(5, 'a1 LO'))).toBe('a1 BAD [TOOBIG] Command line too long');
  expect(replyForLine(new LineTooLong(5, '{{{'))).toBe('* BAD [TOOBIG] Command line too long');
});

test('each last reply is an untagged BYE (RFC 9051 §7.1.5)', () => {
  for (const reply of Object.values(closingReplies)) expect(reply).toMatch(/^\* BYE [ -~]+$/);
});
