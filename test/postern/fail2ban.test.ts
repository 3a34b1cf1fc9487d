import { readFileSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { AuthClient } from '../support/auth-client.ts';
import { askNginxMail, askNginxRequest, askSaslauthd } from '../support/auth-requests.ts';
import { startInProcess } from '../support/in-process.ts';
import { LineClient, POP3_LINE } from '../support/line-client.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

/**
 * Returns the regular expressions of the README's filter, with the host group that fail2ban
 * inserts.
 */
function filter(): RegExp[] {
  const readme = readFileSync(new URL('../../packages/postern/README.md', import.meta.url), 'utf8');
  const [, failregex = ''] = /^failregex = ((?:.*\n)(?: {12}.*\n)*)/m.exec(readme) ?? [];
  return failregex
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '')
    .map(
      (line) => new RegExp(line.replace('<HOST>', '(?:(?<ip4>(?:\\d{1,3}\\.){3}\\d{1,3})|\\[?(?<ip6>[0-9a-f:]+)\\]?)')),
    );
}

/**
 * Removes the time from a log line, as fail2ban does before it matches: at the start, or a JSON
 * field.
 */
function withoutTime(line: string): string {
  return line.replace(/^\d\S+Z|"time":"[^"]*"/, '');
}

/** Returns the host that the filter finds in each matching line. */
function hosts(lines: readonly string[]): string[] {
  const expressions = filter();
  return lines.flatMap((line) => {
    const groups = expressions
      .map((regex) => regex.exec(withoutTime(line))?.groups)
      .find((found) => found !== undefined);
    return groups === undefined ? [] : [groups['ip4'] ?? groups['ip6'] ?? ''];
  });
}

const plain = (username: string): string => Buffer.from(`\0${username}\0wrong`).toString('base64');
/** A user name that imitates a log line, so that the filter bans another host. */
const FORGED =
  'x","msg":"login refused"} info  login refused remote=192.0.2.1:5 code=denied\n2026-11-30T09:26:55.757Z info  x';

describe('the filter for fail2ban in the README', () => {
  it.each(['pretty', 'json'])(
    'finds the address of each refused login in the %s log and ignores forged lines',
    async (form) => {
      using folder = temporaryFolder('fail2ban');
      const config = join(folder.path, 'postern.config.mjs');
      writeFileSync(config, 'export default { logUsernames: true };');
      const server = await startInProcess(
        ...`--listen smtp://127.0.0.1:0 --auth memory:joe:correct-horse --log ${form} --config ${config}`.split(' '),
        ...`--listen pop3://127.0.0.1:0 --mailboxes maildir:${folder.path}`.split(' '),
      );
      using client = new LineClient(connect({ host: '127.0.0.1', port: Number(server.urls[0]?.port) }));
      await client.hear();
      await client.say('EHLO client.example.org');
      for (const name of ['joe', FORGED, 'login refused']) {
        expect(await client.say(`AUTH PLAIN ${plain(name)}`)).toMatch(/^5[03]\d /);
      }
      await client.say('AUTH NONE');
      await client.say('QUIT');
      using reader = new LineClient(connect({ host: '127.0.0.1', port: Number(server.urls[1]?.port) }));
      await reader.hear(POP3_LINE);
      expect(await reader.say('USER ann', POP3_LINE)).toMatch(/^\+OK/);
      expect(await reader.say('PASS wrong', POP3_LINE)).toMatch(/^-ERR/);
      await reader.say('QUIT', POP3_LINE);
      await server.said(/closed/, 2);
      await server.stop();
      const lines = server.output().split('\n');
      expect(lines.filter((line) => line.includes('login refused')).length).toBeGreaterThanOrEqual(2);
      expect(hosts(lines.filter((line) => line.includes('-ERR')))).toEqual(['127.0.0.1']);
      expect(new Set(hosts(lines))).toEqual(new Set(['127.0.0.1']));
      expect(hosts(lines).length).toBeGreaterThanOrEqual(2);
    },
  );

  it.each(['pretty', 'json'])(
    'finds in the %s log the clients that mail servers and nginx name, with a port or without',
    async (form) => {
      using folder = temporaryFolder('fail2ban');
      const path = (name: string) => join(folder.path, name);
      const config = path('postern.config.mjs');
      const limits = { 'dovecot-auth': { loginFailureDelay: 0 }, saslauthd: { loginFailureDelay: 0 } };
      writeFileSync(config, `export default { logUsernames: true, limits: ${JSON.stringify(limits)} };`);
      const server = await startInProcess(
        ...words`--listen dovecot-auth+unix:${path('auth')} --listen saslauthd+unix:${path('mux')}`,
        ...words`--listen http+unix:${path('http')}?smtp=127.0.0.1:587`,
        ...words`--auth memory:joe:correct-horse --log ${form} --config ${config}`,
      );
      using auth = await AuthClient.connect(path('auth'));
      await auth.plain('joe', ['wrong'], 'service=smtp\trip=192.0.2.1\trport=40000');
      await auth.plain('joe', ['wrong'], 'service=imap\trip=2001:db8::1');
      await auth.plain('joe', ['wrong'], 'service=smtp');
      const guess = (client: string) => ({ username: 'joe', password: 'wrong', client });
      await askSaslauthd(path('mux'), guess('192.0.2.2'));
      await askSaslauthd(path('mux'), guess(''));
      await askNginxMail(path('http'), guess('192.0.2.3'));
      await askNginxRequest(path('http'), guess('192.0.2.4'));
      await server.stop();
      const refused = server
        .output()
        .split('\n')
        .filter((line) => line.includes('login refused'));
      expect(refused).toHaveLength(7);
      // The filter bans no address for a mail server that names no client.
      expect(refused.filter((line) => /remote"?[=:]"?unix\b/.test(line))).toHaveLength(2);
      expect(hosts(refused)).toEqual(['192.0.2.1', '2001:db8::1', '192.0.2.2', '192.0.2.3', '192.0.2.4']);
    },
  );

  it('finds IPv6 addresses and ignores other events', () => {
    expect(
      hosts([
        '2026-11-30T09:26:55.757Z info  login refused remote=[2001:db8::1]:40040 mechanism=PLAIN code=denied reason=too-many reply="454 4.7.0 x"',
        '2026-11-30T09:26:55.757Z info  login refused remote=192.0.2.1:40040 code=unauthorized reply="550 5.7.1 x"',
        '2026-11-30T09:26:55.757Z info  login refused remote=192.0.2.2:40040 mechanism=PLAIN code=cancelled reply="501 5.7.0 x"',
        '2026-11-30T09:26:55.757Z info  logged in remote=192.0.2.3:40040 mechanism=PLAIN user=joe',
        '2026-11-30T09:26:55.757Z warn  login refused remote=192.0.2.4:1',
      ]),
    ).toEqual(['2001:db8::1', '192.0.2.1']);
  });
});
