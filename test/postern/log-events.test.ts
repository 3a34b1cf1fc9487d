import { ANONYMOUS, UnauthorizedLogin } from '@postern/cred';
import { type EsmtpEvent, logTo, Mailbox, Reply } from '@postern/esmtp';
import { testMind } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { prettyLog } from '../../packages/postern/src/log.ts';
import { logEvents, logListenerError, logUnsentNotification } from '../../packages/postern/src/log-events.ts';

const { remote } = testMind();

type Facts<E = EsmtpEvent> = E extends EsmtpEvent ? Omit<E, 'mind'> : never;

/** Returns the log line of an event without time and client. */
function logged(facts: Facts): string {
  let line = '';
  const log = prettyLog((text) => {
    line += text;
  });
  logEvents(log, logTo)({ mind: testMind(), ...facts } as EsmtpEvent);
  return line.replace(/^\S+ /, '').replace(' remote=192.0.2.1:40000', '').trimEnd();
}

describe('the log line of a session event', () => {
  it.each<[Facts, string]>([
    [{ kind: 'connected' }, 'info  connected local=192.0.2.25:587'],
    [
      { kind: 'invalid-client-name', name: 'MÜLLER-PC' },
      'info  the client gives a name that is no domain name=MÜLLER-PC',
    ],
    [{ kind: 'authenticated', mechanism: 'PLAIN', avatarId: 'joe' }, 'info  logged in mechanism=PLAIN user=joe'],
    [
      { kind: 'authenticated', mechanism: 'ANONYMOUS', avatarId: ANONYMOUS },
      'info  logged in mechanism=ANONYMOUS user=anonymous',
    ],
    [
      {
        kind: 'login-refused',
        mechanism: 'PLAIN',
        error: new UnauthorizedLogin(),
        reply: new Reply(535, '5.7.8', 'Authentication failed'),
      },
      'info  login refused mechanism=PLAIN code=unauthorized reply="535 5.7.8 Authentication failed"',
    ],
    [
      { kind: 'error', culprit: 'client', during: 'STARTTLS', cause: new Error('no TLS') },
      'info  failure during=STARTTLS culprit=client error="no TLS"',
    ],
    [
      { kind: 'error', culprit: 'us', during: 'DATA', cause: new Error('disk full') },
      'error failure during=DATA culprit=us error="disk full"',
    ],
    [
      { kind: 'error', culprit: 'operator', during: 'MAIL', cause: new Error('no checker') },
      'error failure during=MAIL culprit=operator error="no checker"',
    ],
    [{ kind: 'closed', reason: 'quit', reply: undefined }, 'info  closed reason=quit'],
  ])('%j', (event, line) => {
    expect(logged(event)).toBe(line);
  });
});

describe('the log', () => {
  it('reports an unsent notification without content of the message', () => {
    const lines: string[] = [];
    const envelope = {
      reversePath: new Mailbox('joe', 'example.com'),
      parameters: { smtpUtf8: false },
      recipients: [],
      id: 'id1',
    };
    logUnsentNotification(prettyLog((line) => lines.push(line)))(new Error('nobody answers'), envelope);
    expect(lines).toEqual([
      expect.stringMatching(
        / error a notification could not be sent id=id1 culprit=operator error="nobody answers"\n$/,
      ),
    ]);
  });

  it('reports the number of connections that the end of the shutdown timeout closed', () => {
    const lines: string[] = [];
    logListenerError(prettyLog((line) => lines.push(line)))({ kind: 'cut-off', connections: 2 });
    expect(lines).toEqual([
      expect.stringMatching(/ warn {2}the shutdown timeout is over, and connections are cut off connections=2\n$/),
    ]);
  });

  it.each([
    [
      { kind: 'refused', remote, limit: 'connections-per-minute' },
      ' warn  connection rejected remote=192.0.2.1:40000 limit=connections-per-minute\n',
    ],
    [
      { kind: 'refused', remote, limit: 'connections', omitted: 7 },
      ' warn  connection rejected remote=192.0.2.1:40000 limit=connections omitted=7\n',
    ],
    [{ kind: 'displaced', remote }, ' warn  closed to make room for another client remote=192.0.2.1:40000\n'],
  ] as const)('has a line for %j', (error, line) => {
    const lines: string[] = [];
    logListenerError(prettyLog((text) => lines.push(text)))(error);
    expect(lines.map((text) => text.replace(/^\S+/, ''))).toEqual([line]);
  });

  it('reports failures to accept connections once a minute', () => {
    const lines: string[] = [];
    let now = 0;
    const tell = logListenerError(
      prettyLog((line) => lines.push(line)),
      () => now,
    );
    const error = { kind: 'accept', error: new Error('accept EMFILE') } as const;
    for (let times = 0; times < 1_000; times++) tell(error);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('cannot accept connections error="accept EMFILE"');
    now = 60_000;
    tell(error);
    expect(lines).toHaveLength(2);
  });
});
