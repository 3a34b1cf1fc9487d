import { type Conversation, Displaced } from '@postern/conversation';
import { describe, expect, test, vi } from 'vitest';
import { ToyServer } from './toy.ts';

const LOGIN = 'C: AUTH PLAIN {base64:\\0ann\\0secret}\nS: +OK hello';
const tls = { tlsPolicy: 'implicit' } as const;

describe('a session', () => {
  test('runs from the greeting to QUIT, with one event for each change', async () => {
    const server = new ToyServer();
    await server.play(
      `S: +OK toy.example\nC: ECHO 1\nS: +OK 1\n${LOGIN}\nC: SAY\nS: +OK said\nC: QUIT\nS: +OK bye\nS: <closed>`,
      tls,
    );
    expect(server.log).toEqual(['connected', 'authenticated', 'closed quit']);
    expect(server.avatar.logouts).toEqual(['quit']);
  });

  test('answers pipelined commands in their order', async () => {
    const wait = Promise.resolve('+OK waited');
    await new ToyServer({ wait }).play(
      'S: +OK toy.example\nC: WAIT\nC: ECHO 1\nC: QUIT\nC: ECHO 2\nS: +OK waited\nS: +OK 1\nS: +OK bye\nS: <closed>',
    );
  });

  test('logs the user of a client that disconnects out', async () => {
    const server = new ToyServer();
    await server.play(`S: +OK toy.example\n${LOGIN}\nC: <end>\nS: <closed>`, tls);
    expect(server.log).toEqual(['connected', 'authenticated', 'closed disconnected']);
    expect(server.avatar.logouts).toEqual(['disconnected']);
  });

  test('makes no event and resolves without a listener', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const server = new ToyServer({ onEvent: undefined as never });
    await server.play('S: +OK toy.example\nC: THROW\nS: -ERR failed THROW\nC: QUIT\nS: +OK bye\nS: <closed>');
    expect(server.events).toEqual([]);
    expect(warn.mock.calls.map(([message]) => String(message))).toEqual([expect.stringContaining('toy: THROW failed')]);
    warn.mockRestore();
  });

  test('survives a listener that throws, and warns', async () => {
    const warn = vi.spyOn(process, 'emitWarning').mockImplementation(() => {});
    const server = new ToyServer({
      onEvent: () => {
        throw new Error('the log is full');
      },
    });
    await server.play('S: +OK toy.example\nC: ECHO 1\nS: +OK 1\nC: QUIT\nS: +OK bye\nS: <closed>');
    expect(warn).toHaveBeenCalledTimes(1);
    warn.mockRestore();
  });
});

describe('a refused command', () => {
  test('is one event with its verb and its reply', async () => {
    const server = new ToyServer();
    await server.play('S: +OK toy.example\nC: DENY\nS: -ERR not you\nC: HUH\nS: -ERR unknown\nC: <end>\nS: <closed>');
    expect(server.events).toMatchObject([
      { kind: 'connected' },
      { kind: 'command-refused', verb: 'DENY', reply: '-ERR not you' },
      { kind: 'command-refused', verb: undefined, reply: '-ERR unknown' },
      { kind: 'closed', reason: 'disconnected', reply: undefined },
    ]);
  });

  test('closes the connection at maxErrors, if it counts', async () => {
    const server = new ToyServer({ limits: { maxErrors: 2 } });
    await server.play(
      'S: +OK toy.example\nC: HUH\nS: -ERR unknown\nC: DENY\nS: -ERR not you\nC: HUH\nS: -ERR too-many-errors\nS: <closed>',
    );
    expect(server.log).toEqual([
      'connected',
      'command-refused -ERR unknown',
      'command-refused -ERR not you',
      'command-refused -ERR too-many-errors',
      'closed disconnected',
    ]);
  });

  test('keeps its own reply where it closes the connection', async () => {
    const server = new ToyServer({ limits: { maxErrors: 1 } });
    await server.play('S: +OK toy.example\nC: CLOSE\nS: -ERR closing\nS: <closed>');
  });
});

describe('a command that fails', () => {
  test.each(['THROW', 'REJECT'])('with %s is an error of this server, and no error of the client', async (verb) => {
    const server = new ToyServer({ limits: { maxErrors: 1 } });
    await server.play(`S: +OK toy.example\nC: ${verb}\nS: -ERR failed ${verb}\nC: ECHO 1\nS: +OK 1\nC: <end>`);
    expect(server.events).toMatchObject([
      { kind: 'connected' },
      { kind: 'error', culprit: 'us', during: verb, cause: expect.any(Error) },
      { kind: 'command-refused', verb, reply: `-ERR failed ${verb}` },
      { kind: 'closed' },
    ]);
  });

  test('in the greeting ends the session', async () => {
    const server = new ToyServer({
      dialogue: {
        get greeting(): string {
          throw new Error('no greeting');
        },
      },
    });
    await server.play('S: -ERR failed\nS: <closed>');
    expect(server.events).toMatchObject([
      { kind: 'connected' },
      { kind: 'error', culprit: 'us', during: 'session' },
      { kind: 'closed', reason: 'disconnected', reply: '-ERR failed' },
    ]);
  });
});

describe('a line that cannot be read', () => {
  test('is refused and counted if it is too long', async () => {
    const server = new ToyServer({ limits: { maxCommandLine: 255, maxErrors: 2 } });
    await server.play(
      'S: +OK toy.example\nC: {repeat:256:x}\nS: -ERR line-too-long\nC: ECHO 1\nS: +OK 1\nC: {repeat:9999:x}\nS: -ERR too-many-errors\nS: <closed>',
    );
    expect(server.events[1]).toMatchObject({ kind: 'command-refused', verb: undefined, reply: '-ERR line-too-long' });
  });

  test.each([String.raw`ECHO\n1`, String.raw`ECHO\r1`])('closes the connection if it is %s', async (line) => {
    const server = new ToyServer();
    await server.play(`S: +OK toy.example\nC: ${line}\nS: -ERR bare-line-ending\nS: <closed>`);
    expect(server.log).toEqual(['connected', 'command-refused -ERR bare-line-ending', 'closed disconnected']);
  });
});

describe('another protocol', () => {
  test('is refused if it is TLS', async () => {
    const server = new ToyServer();
    await server.play(String.raw`S: +OK toy.example
      C: <raw \x16\x03\x01>
      S: -ERR foreign-protocol
      S: <closed>`);
    expect(server.events[1]).toMatchObject({ kind: 'foreign-protocol', protocol: 'TLS' });
  });

  test.each(['GET / HTTP/1.1', 'POST /x HTTP/1.0', 'PRI * HTTP/2.0'])('is refused if it is %s', async (line) => {
    const server = new ToyServer();
    await server.play(`S: +OK toy.example\nC: ${line}\nC: ECHO 1\nS: -ERR foreign-protocol\nS: <closed>`);
    expect(server.log).toEqual(['connected', 'foreign-protocol -ERR foreign-protocol', 'closed disconnected']);
  });

  test.each(['ECHO a HTTP/1.1', 'ECHO HTTP/1.1'])('is not %s', async (line) => {
    await new ToyServer().play(`S: +OK toy.example\nC: ${line}\nS: +OK...\nC: <end>`);
  });
});

describe('junk commands', () => {
  const limits = { undelayedJunkCommands: 2, junkCommandDelay: 10, maxJunkCommands: 3 };

  test('before a login are delayed, and then close the connection', async () => {
    const server = new ToyServer({ limits });
    await server.play(
      'S: +OK toy.example\nC: ECHO 1\nC: ECHO 2\nS: +OK 1\nS: +OK 2\nC: ECHO 3\nS: <silence>\nC: <advance 10ms>\nS: +OK 3\nC: ECHO 4\nS: -ERR too-many-commands\nS: <closed>',
    );
    expect(server.log.at(-2)).toBe('command-refused -ERR too-many-commands');
  });

  test('after a login are only those that bring nothing', async () => {
    const echoes = Array.from({ length: 10 }, (_, index) => `C: ECHO ${index}\nS: +OK ${index}`).join('\n');
    const server = new ToyServer({ limits });
    await server.play(
      `S: +OK toy.example\n${LOGIN}\n${echoes}\nC: NOOP\nS: +OK \nC: NOOP\nS: <silence>\nC: <advance 10ms>\nS: +OK \nC: NOOP\nS: -ERR too-many-commands\nS: <closed>`,
      tls,
    );
  });

  test('are forgotten at the rate of one in ten seconds', async () => {
    const noop = 'C: NOOP\nS: +OK \nC: <advance 10s>\n';
    await new ToyServer({ limits }).play(`S: +OK toy.example\n${noop.repeat(20)}C: <end>`);
  });

  test('of a client that pipelines stop while the pause lasts, and end with the connection', async () => {
    const server = new ToyServer({ limits: { ...limits, junkCommandDelay: 60_000 } });
    await server.play('S: +OK toy.example\nC: NOOP\nC: NOOP\nC: NOOP\nS: +OK \nS: +OK \nS: <silence>\nC: <reset>');
    expect(server.log).toEqual(['connected', 'closed disconnected']);
  });
});

describe('the server closes the connection', () => {
  test('of a client that is silent for idleTimeout', async () => {
    const server = new ToyServer({ limits: { idleTimeout: 5_000 } });
    await server.play(`S: +OK toy.example\n${LOGIN}\nC: <advance 5s>\nS: -ERR timeout\nS: <closed>`, tls);
    expect(server.log.at(-1)).toBe('closed timeout -ERR timeout');
    expect(server.avatar.logouts).toEqual(['timeout']);
  });

  test('without a reply where the protocol says so', async () => {
    const server = new ToyServer({ limits: { idleTimeout: 5_000 }, dialogue: { hasSilentTimeout: true } });
    await server.play('S: +OK toy.example\nC: <advance 5s>\nS: <closed>');
    expect(server.log.at(-1)).toBe('closed timeout');
  });

  test('of a client without a login after unauthenticatedTimeout, whatever it sends', async () => {
    const server = new ToyServer({ limits: { unauthenticatedTimeout: 2_500, idleTimeout: 2_000 } });
    const echo = 'C: <advance 1s>\nC: ECHO 1\nS: +OK 1\n';
    await server.play(`S: +OK toy.example\n${echo}${echo}C: <advance 1s>\nS: -ERR timeout\nS: <closed>`);
  });

  test('at a shutdown, behind the reply to the current command', async () => {
    const { promise, resolve } = Promise.withResolvers<string>();
    const server = new ToyServer({ wait: promise });
    server.clock.after(1_000, () => resolve('+OK waited'));
    await server.play(
      'S: +OK toy.example\nC: WAIT\nC: <closing>\nS: <silence>\nC: <advance 1s>\nS: +OK waited\nS: -ERR shutdown\nS: <closed>',
    );
    expect(server.log.at(-1)).toBe('closed shutdown -ERR shutdown');
  });

  test('at a shutdown only when the protocol allows it', async () => {
    const server = new ToyServer({ dialogue: { interruptible: false } });
    await server.play('S: +OK toy.example\nC: <closing>\nS: <silence>\nC: QUIT\nS: +OK bye\nS: <closed>');
  });

  test('that makes room for another one', async () => {
    const server = new ToyServer();
    const conversations: Conversation[] = [];
    const { protocol } = server;
    const capturing = new ToyServer();
    Object.assign(capturing, {
      protocol: (conversation: Conversation) => {
        conversations.push(conversation);
        return protocol(conversation);
      },
    });
    capturing.clock.after(1_000, () => conversations[0]?.interrupt(new Displaced()));
    await capturing.play('S: +OK toy.example\nC: <advance 1s>\nS: -ERR displaced\nS: <closed>');
    expect(server.log).toEqual(['connected', 'closed disconnected -ERR displaced']);
  });
});

describe('a logout', () => {
  test('that fails is an error of this server, in front of the end', async () => {
    const server = new ToyServer();
    server.avatar.onLogout = () => Promise.reject(new Error('the mailbox is broken'));
    await server.play(`S: +OK toy.example\n${LOGIN}\nC: QUIT\nS: +OK bye\nS: <closed>`, tls);
    expect(server.events.slice(2)).toMatchObject([
      { kind: 'error', culprit: 'us', during: 'session' },
      { kind: 'closed', reason: 'quit' },
    ]);
  });

  test('ends after loginTimeout', async () => {
    const server = new ToyServer();
    server.avatar.onLogout = () => new Promise(() => {});
    await server.play(`S: +OK toy.example\n${LOGIN}\nC: QUIT\nS: +OK bye\nS: <closed>\nC: <advance 30s>`, tls);
    expect(server.events.slice(2)).toMatchObject([{ kind: 'error', culprit: 'us' }, { kind: 'closed' }]);
  });
});

describe('the option hostname', () => {
  const fails = (): string => {
    throw new Error('no such host');
  };

  test('that fails for the greeting is one error of the operator', async () => {
    const server = new ToyServer({ hostname: fails });
    await server.play('S: -ERR misconfigured\nS: <closed>');
    expect(server.events).toMatchObject([
      { kind: 'connected' },
      { kind: 'error', culprit: 'operator', during: 'session' },
      { kind: 'closed', reply: '-ERR misconfigured' },
    ]);
  });

  test('that fails in a command ends the session', async () => {
    let calls = 0;
    const server = new ToyServer({ hostname: () => (calls++ === 0 ? 'toy.example' : fails()) });
    await server.play('S: +OK toy.example\nC: NAME\nS: -ERR misconfigured\nS: <closed>');
    expect(server.events.filter(({ kind }) => kind === 'error')).toHaveLength(1);
  });

  test.each(['', 'no domain', 'ä.example', '[192.0.2]', '[IPv6:::1::]', '-a.example', undefined])(
    '%j is a TypeError',
    (hostname) => {
      expect(() => new ToyServer({ hostname: hostname as string })).toThrow(/^hostname: expected an ASCII domain /);
    },
  );

  test.each(['a', 'toy.example', '[192.0.2.1]', '[IPv6:2001:db8::1]'])('may be %j', (hostname) => {
    expect(() => new ToyServer({ hostname })).not.toThrow();
  });
});
