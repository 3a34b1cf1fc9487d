import { ImapBackEnd, imap, logTo } from '@postern/imap';
import type { LogFields } from '@postern/sasl-profile';
import { dialogue, portalFor } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { fakeBackEnd } from '../support/fake-back-end.ts';

describe('logTo', () => {
  test('logs the login and the end of the proxied session', async () => {
    const lines: [string, LogFields][] = [];
    const write = (fields: LogFields, message: string): void => void lines.push([message, fields]);
    const { connect } = fakeBackEnd('S: * PREAUTH [CAPABILITY IMAP4rev1] ready');
    const portal = portalFor({ joe: 's3cret' }, ImapBackEnd, () => new ImapBackEnd({ connect }));
    const onEvent = logTo({ info: write, warn: write, error: write });
    const script = `
      S: <any>
      C: a1 LOGIN joe s3cret
      S: a1 OK [CAPABILITY IMAP4rev1] Logged in
      C: a2 NOOP
      S: * ECHO a2 NOOP
    `;
    await dialogue(imap({ hostname: 'imap.example.com', portal, onEvent }), script, { tlsPolicy: 'implicit' });
    const remote = '192.0.2.1:40000';
    expect(lines.slice(1)).toEqual([
      ['logged in', { remote, mechanism: 'LOGIN', user: 'joe' }],
      [
        'proxied session ended',
        { remote, user: 'joe', received: 9, sent: 16, duration: expect.any(Number), reason: 'ended' },
      ],
      ['closed', { remote, reason: 'quit' }],
    ]);
  });

  test('logs the failure of a back end and the refusal, without a secret', async () => {
    const lines: [string, LogFields][] = [];
    const write = (fields: LogFields, message: string): void => void lines.push([message, fields]);
    const { connect } = fakeBackEnd('S: * BYE go away');
    const account = { username: 'joe', masterUser: 'door', password: 'm4ster' };
    const portal = portalFor({ joe: 's3cret' }, ImapBackEnd, () => new ImapBackEnd({ connect, account }));
    const onEvent = logTo({ info: write, warn: write, error: write });
    const script = `
      S: <any>
      C: a1 LOGIN joe s3cret
      S: a1 NO [UNAVAILABLE] Temporary authentication failure
      C: a2 LOGOUT
      S: * BYE Logging out
      S: a2 OK LOGOUT completed
      S: <closed>
    `;
    await dialogue(imap({ hostname: 'imap.example.com', portal, onEvent }), script, { tlsPolicy: 'implicit' });
    expect(lines.map(([message]) => message)).toEqual(['connected', 'failure', 'command refused', 'closed']);
    expect(lines[1]?.[1]).toMatchObject({ during: 'LOGIN', culprit: 'operator' });
    expect(String(lines[1]?.[1]['err'])).toContain('the back end refuses the connection: BYE go away');
    expect(JSON.stringify(lines)).not.toMatch(/s3cret|m4ster/);
  });
});
