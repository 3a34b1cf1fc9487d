import { BareLineEnding, LineTooLong } from '@postern/conversation';
import { LoginDenied, NoAvatar, TemporaryFailure, UnauthorizedLogin, UnhandledCredentials } from '@postern/cred';
import { MailboxInUse, MessageGone } from '@postern/pop3';
import { ExchangeCancelled, MalformedResponse } from '@postern/sasl';
import { loginRefusalOf } from '@postern/sasl-profile';
import { describe, expect, test } from 'vitest';
import { closingReplies, loginReplies, replyForLine, replyForMessage } from '../../packages/pop3/src/error-replies.ts';

describe('the reply to a failed login', () => {
  test.each([
    [new UnauthorizedLogin(), '-ERR [AUTH] authentication failed'],
    [new LoginDenied('disabled'), '-ERR [AUTH] authentication failed'],
    [new LoginDenied('expired'), '-ERR [AUTH] authentication failed'],
    [new LoginDenied('not-authorized'), '-ERR [AUTH] authentication failed'],
    [new LoginDenied('policy'), '-ERR [AUTH] authentication failed'],
    [new LoginDenied('mechanism-too-weak'), '-ERR [AUTH] authentication mechanism is too weak'],
    [new LoginDenied('transition-needed'), '-ERR [AUTH] a password transition is needed'],
    [new LoginDenied('too-many'), '-ERR [SYS/TEMP] temporary authentication failure'],
    [new TemporaryFailure('the database is down'), '-ERR [SYS/TEMP] temporary authentication failure'],
    [new MailboxInUse(), '-ERR [IN-USE] maildrop already locked'],
    [new NoAvatar('no mailbox'), '-ERR [SYS/PERM] no maildrop for this user'],
    [new UnhandledCredentials('no checker'), '-ERR unrecognized authentication mechanism'],
    [new ExchangeCancelled(), '-ERR authentication cancelled'],
    [new MalformedResponse('no base64', 'encoding'), '-ERR malformed authentication response'],
    [new MalformedResponse('too long', 'too-long'), '-ERR authentication response is too long'],
    [new MalformedResponse('not now', 'unexpected-initial-response'), '-ERR this mechanism takes no initial response'],
  ])('of %s is %s', (error, reply) => {
    expect(loginReplies[loginRefusalOf(error)]).toBe(reply);
  });
});

test('the reply to a message that cannot be opened does not show the cause', () => {
  expect(replyForMessage(new MessageGone())).toBe('-ERR no such message, another program has removed it');
  expect(replyForMessage(new Error('EACCES: /var/mail'))).toBe('-ERR [SYS/TEMP] message not available');
});

test('the reply to a line that cannot be read names the fault', () => {
  expect(replyForLine(new LineTooLong(5))).toBe('-ERR line too long');
  expect(replyForLine(new BareLineEnding())).toBe('-ERR a line ends with CR and LF');
});

test('each reply is one line of at most 510 octets (RFC 2449 §4)', () => {
  for (const reply of [...Object.values(loginReplies), ...Object.values(closingReplies)]) {
    expect(reply).toMatch(/^-ERR [ -~]{1,505}$/);
  }
});
