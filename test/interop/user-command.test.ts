import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { BIN, type ServingPostern } from '../support/postern.ts';
import { skipsPostgres, startPostgres } from '../support/postgres.ts';
import { run, skips, words } from '../support/program.ts';
import { TestUserDatabase } from '../support/user-database.ts';

describe.skipIf(skips('python3', 'python3'))('postern user at a real terminal', () => {
  it.each([
    ['two passwords', ['correct horse\r', 'correct horse\r'], 0, 'added joe'],
    ['Ctrl-C', ['correct\u0003'], 1, 'cancelled, and nothing has changed'],
    ['the end of the input', ['\u0004'], 1, 'cancelled, and nothing has changed'],
    ['SIGTERM', ['SIGTERM'], -15, ''],
  ])('shows no key, and restores the terminal after %s', async (_event, keys, status, message) => {
    using site = new TestUserDatabase();
    const command = [process.execPath, BIN, ...words`user add joe --db ${site.spec}`];
    const { code, output } = await run('python3', ['-c', TERMINAL, JSON.stringify({ keys, command })]);
    expect(code).toBe(0);
    const end = JSON.parse(output) as { screen: string; status: number; hidden: boolean; restored: boolean };
    expect(end).toMatchObject({ status, hidden: true, restored: true });
    expect(end.screen).toContain('New password of joe: ');
    expect(end.screen).toContain(message);
    expect(end.screen).not.toContain('correct');
  });
});

describe.skipIf(skipsPostgres())('postern with PostgreSQL', () => {
  it('adds, imports and serves users, and holds no password of the role in its output', async () => {
    await using database = await startPostgres();
    vi.stubEnv('POSTERN_TEST_ROLE', 's3cret');
    onTestFinished(() => void vi.unstubAllEnvs());
    const spec = `postgres://mail@127.0.0.1:${database.port}/mail?sslmode=disable&password=env:POSTERN_TEST_ROLE`;
    const user = (args: readonly string[], input = '') => runInProcess(['user', ...args, '--db', spec], input);
    const added = await user(words`add joe`, 'correct horse\n');
    expect(added).toMatchObject({
      code: 0,
      output: expect.stringContaining('added joe (argon2id, SCRAM-SHA-256) to '),
    });
    expect(added.output).not.toContain('s3cret');
    expect((await user(words`list --json`)).output).toContain('"name":"joe"');
    expect((await user(words`show jo`)).output).toContain('did you mean "joe"?');

    await using server = await startInProcess(...words`--listen smtp://127.0.0.1:0 --log pretty --auth ${spec}`);
    // The database keeps the server key.
    expect(await logIn(server, 'correct horse')).toMatchObject({
      code: 0,
      output: expect.stringContaining('with SCRAM-SHA-256 '),
    });
    expect(await logIn(server, 'wrong')).toMatchObject({ code: 1 });
    await database.stop('fast');
    expect((await logIn(server, 'correct horse')).output).toContain('S: 454 4.7.0 ');
    expect(server.output()).toMatch(/ during=AUTH culprit=operator error="[^"]*: the user store postgres:\S+ failed: /);
    expect(await user(words`list`)).toMatchObject({
      code: 1,
      output: expect.stringMatching(/^postern: cannot open postgres:/),
    });
    expect(server.output()).not.toMatch(/s3cret|correct horse/);
    await database.start();
    expect(await logIn(server, 'correct horse')).toMatchObject({ code: 0 });
  });
});

function logIn({ urls: [url] }: ServingPostern, password: string) {
  return runInProcess(words`login smtp://127.0.0.1:${String(url?.port)}?tls=none --user joe`, `${password}\n`);
}

/**
 * Runs a command at a pseudo-terminal. Types each text at the next question for a password, or
 * sends SIGTERM. Prints the screen, and whether the terminal echoes at the question and at the end.
 */
const TERMINAL = `
import json, os, pty, signal, subprocess, sys, termios
plan = json.loads(sys.argv[1])
master, slave = pty.openpty()
echoes = lambda: bool(termios.tcgetattr(slave)[3] & termios.ECHO)
child = subprocess.Popen(plan['command'], stdin=slave, stdout=slave, stderr=slave, start_new_session=True)
screen, hidden = b'', True
for number, keys in enumerate(plan['keys'], 1):
    while len(screen.split(b': ')) <= number:
        screen += os.read(master, 4096)
    hidden = hidden and not echoes()
    if keys == 'SIGTERM':
        child.send_signal(signal.SIGTERM)
    else:
        os.write(master, keys.encode())
status = child.wait()
os.set_blocking(master, False)
try:
    while chunk := os.read(master, 4096):
        screen += chunk
except BlockingIOError:
    pass
print(json.dumps(dict(screen=screen.decode(), status=status, hidden=hidden, restored=echoes())))
`;
