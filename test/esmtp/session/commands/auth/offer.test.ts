import {
  AvatarRealm,
  Credentials,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Interface,
  PasswordProof,
  Portal,
  type Realm,
  UsernamePassword,
} from '@postern/cred';
import { esmtp, MessageDelivery } from '@postern/esmtp';
import { type Challenger, cramMd5, login, plain } from '@postern/sasl';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, RecordingDelivery, Server } from '../../../server.ts';
import { serverWith } from './support.ts';

describe('AUTH: order and mechanisms', () => {
  test('1: before EHLO it is 503', async () => {
    await new Server().play(`
      S: 220...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Send EHLO first`);
  });

  test('2: after HELO it is 503', async () => {
    await new Server().play(`
      S: 220...
      C: HELO client.example.org
      S: 250 mx.example.com
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Bad sequence of commands`);
  });

  test('3: without an argument it is 501', async () => {
    await new Server().play(`${GREETED}
      C: AUTH
      S: 501 5.5.4 Syntax error in the argument`);
  });

  test('4: with too many arguments it is 501', async () => {
    await new Server().play(`${GREETED}
      C: AUTH PLAIN {base64:\\0ann\\0secret} more
      S: 501 5.5.4 Syntax error in the argument`);
  });

  test('5: an unknown mechanism is 504', async () => {
    await new Server().play(`${GREETED}
      C: AUTH KLINGON
      S: 504 5.5.4 Unrecognised authentication mechanism
      C: AUTH ../../etc/passwd
      S: 504 5.5.4 Unrecognised authentication mechanism
      C: AUTH __proto__
      S: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('6: the mechanism may be in lower case, and the verb', async () => {
    await new Server().play(`${GREETED}
      C: auth plain {base64:\\0ann\\0secret}
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('6b: EHLO and AUTH follow the classes of credentials of a checker', async () => {
    const passwords = new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' });
    const live = {
      credentialInterfaces: [UsernamePassword] as readonly Interface<PasswordProof>[],
      requestAvatarId: (credentials: PasswordProof) => passwords.requestAvatarId(credentials),
    };
    const delivery = new RecordingDelivery();
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => delivery)).register(live);
    const server = new Server({ portal, delivery, challengers: [cramMd5({ hostname: 'mx.example.com' }), plain()] });
    await server.play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH PLAIN
      C: AUTH CRAM-MD5
      S: 504 5.5.4 Unrecognised authentication mechanism`);
    live.credentialInterfaces = [PasswordProof];
    await server.play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH CRAM-MD5 PLAIN
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 235 2.7.0 Authentication succeeded`);
  });

  test('7: a mechanism left out is neither advertised nor accepted', async () => {
    await new Server({ challengers: [login()] }).play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH LOGIN
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('8: a second AUTH after success is 503', async () => {
    await new Server().play(`${GREETED}${LOGIN}
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Authenticated already`);
  });

  test('9: and so it is after RSET and after another EHLO', async () => {
    await new Server().play(`${GREETED}${LOGIN}
      C: RSET
      S: 250...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Authenticated already
      C: EHLO client.example.org
      S: 250...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Authenticated already`);
  });

  test('10: during a mail transaction it is 503', async () => {
    await new Server({ allowAnonymous: true, authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Bad sequence of commands
      C: RCPT TO:<bob@example.com>
      S: 250...
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Bad sequence of commands`);
  });

  test('11: a mechanism that needs TLS is not advertised without it, and is 538, whatever the password', async () => {
    await new Server({ challengers: [plain(), cramMd5({ hostname: 'mx.example.com' })] }).play(
      `
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH CRAM-MD5
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 538 5.7.11 Encryption required for requested authentication mechanism
      C: AUTH PLAIN {base64:\\0ann\\0wrong}
      S: 538 5.7.11 Encryption required for requested authentication mechanism
      C: AUTH PLAIN
      S: 538 5.7.11 Encryption required for requested authentication mechanism`,
      { tlsPolicy: 'none' },
    );
  });

  test('11: to a peer on this machine it is offered without TLS', async () => {
    await new Server({ challengers: [plain()] }).play(
      `
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH PLAIN${LOGIN}`,
      { tlsPolicy: 'none', client: { family: 'IPv4', address: '127.0.0.1', port: 40_000 } },
    );
  });

  test('12: over implicit TLS it works', async () => {
    await new Server().play(`${GREETED}${LOGIN}`, { tlsPolicy: 'implicit' });
  });

  test('13: where TLS is required MAIL and AUTH are 530 before it', async () => {
    const script = ['AUTH PLAIN', 'MAIL FROM:<ann@example.com>', 'VRFY ann', 'HELP', 'RSET', 'HELO client.example.org']
      .map((command) => `\nC: ${command}\nS: 530 5.7.0 Must issue a STARTTLS command first`)
      .join('');
    await new Server().play(
      `
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 STARTTLS
      C: NOOP
      S: 250...
      ${script}
      C: STARTTLS
      S: 220 2.0.0 Ready to start TLS
      C: <starttls>
      C: EHLO client.example.org
      S: 250...${LOGIN}`,
      { tlsPolicy: 'required' },
    );
  });

  test('14: a portal with a checker for anonymous clients alone advertises nothing, and AUTH is 504', async () => {
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery()));
    const anonymous = { allowAnonymous: true, authentication: 'optional', challengers: [plain(), login()] } as const;
    await new Server({ portal, ...anonymous }).play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 REQUIRETLS
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('30: a mechanism without a checker for its credentials is not advertised, and is 504', async () => {
    const server = serverWith(({ username }) => username);
    await server.play(`
      S: 220...
      C: EHLO client.example.org
      S: 250-...
      S: 250 AUTH PLAIN LOGIN
      C: AUTH CRAM-MD5
      S: 504 5.5.4 Unrecognised authentication mechanism`);
  });

  test('30: a challenger that makes other credentials than it declares is 504', async () => {
    class Other extends Credentials {
      readonly username = 'ann';
    }
    const challenger = { ...plain(), challenge: async () => new Other() };
    const server = new Server({ challengers: [challenger] });
    await server.play(`${GREETED}\nC: AUTH PLAIN =\nS: 504 5.5.4 Unrecognised authentication mechanism`);
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'operator' }));
  });

  test('30: a realm without a MessageDelivery for the user is an error of the operator', async () => {
    const users = new InMemoryUsernamePasswordDatabaseDontUse();
    users.addUser('ann', 'secret');
    const empty = new AvatarRealm();
    const realm: Realm = { requestAvatar: (...login) => empty.requestAvatar(...login) };
    const server = new Server({ portal: new Portal(realm).register(users) });
    await server.play(
      `${GREETED}\nC: AUTH PLAIN {base64:\\0ann\\0secret}\nS: 454 4.7.0 Temporary authentication failure`,
    );
    expect(server.events).toContainEqual(expect.objectContaining({ kind: 'error', culprit: 'operator' }));
  });

  test('56: a mechanism with an invalid name, and two of one name, are refused at the start', () => {
    const { portal } = new Server();
    const named = (mechanism: string): Challenger => ({ ...plain(), mechanism });
    const server =
      (...challengers: Challenger[]) =>
      () =>
        esmtp({ hostname: 'mx.example.com', portal, challengers });
    expect(server(named('X-LOWER'))).not.toThrow();
    for (const name of ['', 'lower', 'HAS BLANK', 'A'.repeat(21), 'X\r\nY'])
      expect(server(named(name))).toThrow(TypeError);
    expect(server(plain(), plain())).toThrow(TypeError);
  });
});
