import { AvatarRealm, Identity, InMemoryUsernamePasswordDatabaseDontUse, identityOf, Portal } from '@postern/cred';
import { basic, logTo } from '@postern/http';
import { nginxMail } from '@postern/http/nginx';
import { formatLogFields, type LogFields } from '@postern/sasl-profile';
import { expect, it } from 'vitest';
import { basicField, Server } from './server.ts';

it.each([
  ['smtp', '"535 5.7.8 Authentication failed"'],
  ['imap', '"NO [AUTHENTICATIONFAILED] Authentication failed"'],
  ['pop3', '"-ERR [AUTH] authentication failed"'],
])('logs the logins of nginx for %s in the words of the other protocols', async (protocol, reply) => {
  const { lines, logger } = lineLogger();
  const users = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'secret' });
  const answer = nginxMail({
    portal: new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users),
    backEnds: { smtp: '127.0.0.1:25', imap: '127.0.0.1:143', pop3: '127.0.0.1:110' },
    limits: { minFailureDelay: 0 },
    logUsernames: true,
    onEvent: logTo(logger),
  });
  const common = ['Auth-Method', 'plain', 'Auth-Protocol', protocol, 'Client-IP', '192.0.2.7', 'Auth-User', 'joe'];
  await answer({ headers: [...common, 'Auth-Pass', 'secret'] });
  await answer({ headers: [...common, 'Auth-Pass', 'wrong'] });
  expect(lines).toEqual([
    `info logged in remote=192.0.2.7:0 mechanism=PLAIN user=joe service=${protocol}`,
    `info login refused remote=192.0.2.7:0 mechanism=PLAIN code=unauthorized reply=${reply} username=joe service=${protocol}`,
  ]);
});

it('logs the logins of requests', async () => {
  const { lines, logger } = lineLogger();
  const server = new Server({ schemes: [basic()], onEvent: logTo(logger) });
  await server.get(basicField('ann:secret'));
  await server.get(basicField('ann:wrong'));
  expect(lines).toEqual([
    expect.stringMatching(/^info logged in remote=\S+ mechanism=Basic user=ann service=http$/),
    expect.stringMatching(
      /^info login refused remote=\S+ mechanism=Basic code=unauthorized reply="401 Unauthorized" service=http$/,
    ),
  ]);
});

function lineLogger() {
  const lines: string[] = [];
  const line = (level: string) => (fields: LogFields, message: string) =>
    void lines.push(`${level} ${message} ${formatLogFields(fields)}`);
  return { lines, logger: { info: line('info'), warn: line('warn'), error: line('error') } };
}
