import { Anonymous, AvatarRealm, Portal, UnauthorizedLogin } from '@postern/cred';
import { MessageDelivery } from '@postern/esmtp';
import { login, plain } from '@postern/sasl';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, RecordingDelivery, Server } from '../../../server.ts';

describe('AUTH: the session before and after', () => {
  test('45: STARTTLS after AUTH resets the session, and logs out', async () => {
    const server = new Server({ mechanismPolicy: { allowCleartext: true } });
    await server.play(
      `${GREETED}${LOGIN}
      C: STARTTLS
      S: 220...
      C: <starttls>
      C: AUTH PLAIN {base64:\\0ann\\0secret}
      S: 503 5.5.1 Send EHLO first
      C: EHLO client.example.org
      S: 250...
      C: MAIL FROM:<ann@example.com>
      S: 530 5.7.0 Authentication required${LOGIN}
      C: MAIL FROM:<ann@example.com>
      S: 250...`,
      { tlsPolicy: 'offered' },
    );
    expect(server.delivery.calls).toEqual(['logout', 'from', 'logout']);
  });

  test('46: STARTTLS twice is 503, and it is not advertised under TLS', async () => {
    const transcript = await new Server().play(
      `${GREETED}
      C: STARTTLS
      S: 220...
      C: <starttls>
      C: EHLO client.example.org
      S: 250...
      C: STARTTLS
      S: 503 5.5.1 TLS is active already`,
      { tlsPolicy: 'offered' },
    );
    expect(transcript.split('<starttls>').map((part) => part.includes('250-STARTTLS'))).toEqual([true, false]);
  });

  test('47: clear text pipelined behind STARTTLS closes the connection before TLS', async () => {
    await new Server().play(
      `${GREETED}
      C: STARTTLS
      C: EHLO attacker.example.org
      S: 421 4.7.0 Nothing may be sent behind STARTTLS before TLS is up
      S: <closed>`,
      { tlsPolicy: 'offered' },
    );
  });

  test('48: EHLO lists the extensions that work now, and no others', async () => {
    const script = `
      S: 220...
      C: EHLO client.example.org
      S: 250-mx.example.com
      S: 250-PIPELINING
      S: 250-SIZE 26214400
      S: 250-LIMITS RCPTMAX=1000
      S: 250-8BITMIME
      S: 250-BINARYMIME
      S: 250-CHUNKING
      S: 250-DSN
      S: 250-ENHANCEDSTATUSCODES
      S: 250-SMTPUTF8`;
    const challengers = [plain(), login()];
    await new Server({ challengers }).play(`${script}\nS: 250-REQUIRETLS\nS: 250 AUTH PLAIN LOGIN`);
    await new Server({ challengers }).play(`${script}\nS: 250 STARTTLS`, { tlsPolicy: 'offered' });
    const bare = script.replace('250-SMTPUTF8', '250 SMTPUTF8');
    await new Server({ challengers }).play(bare, { tlsPolicy: 'none' });
  });

  test.each(['MAIL FROM:<ann@example.com>', 'RCPT TO:<bob@example.com>', 'DATA', 'HELP', 'VRFY ann'])(
    '49: %s is 530 where authentication is required',
    async (command) => {
      await new Server({ allowAnonymous: true }).play(
        `${GREETED}\nC: ${command}\nS: 530 5.7.0 Authentication required`,
      );
    },
  );

  test.each(['NOOP', 'RSET', 'EHLO client.example.org', 'HELO client.example.org', 'QUIT'])(
    '49: %s is not',
    async (command) => {
      await new Server().play(`${GREETED}\nC: ${command}\nS: ${command === 'QUIT' ? '221' : '250'}...`);
    },
  );

  test('50: MAIL without AUTH is 530 if the portal has no checker for anonymous clients', async () => {
    await new Server({ authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 530 5.7.0 Authentication required`);
  });

  test('51: MAIL without AUTH is 550 if that checker refuses', async () => {
    const refuse = {
      credentialInterfaces: [Anonymous],
      requestAvatarId: () => Promise.reject(new UnauthorizedLogin()),
    };
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery())).register(
      refuse,
    );
    await new Server({ portal, authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 550 5.7.1 Not allowed without authentication`);
  });

  test('51: MAIL without AUTH is 451 if that checker fails', async () => {
    const broken = { credentialInterfaces: [Anonymous], requestAvatarId: () => Promise.reject(new Error('down')) };
    const portal = new Portal(new AvatarRealm().provide(MessageDelivery, () => new RecordingDelivery())).register(
      broken,
    );
    await new Server({ portal, authentication: 'optional' }).play(`${GREETED}
      C: MAIL FROM:<ann@example.com>
      S: 451 4.3.0 Something went wrong here, try again later`);
  });

  test('52: MAIL before EHLO is 503', async () => {
    await new Server({ allowAnonymous: true, authentication: 'optional' }).play(`
      S: 220...
      C: MAIL FROM:<ann@example.com>
      S: 503 5.5.1 Send EHLO first`);
  });

  test('53: MAIL accepts AUTH=, also before AUTH, and passes on <>', async () => {
    const server = new Server({ allowAnonymous: true, authentication: 'optional' });
    const heard: unknown[] = [];
    server.delivery.onFrom = (_path, { auth }) => void heard.push(auth);
    const mail = (auth: string): string =>
      `\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 250...\nC: RSET\nS: 250...`;
    await server.play(`${GREETED}${mail('<>')}${mail('e+3Dmc2@example.com')}${LOGIN}${mail('e+3Dmc2@example.com')}`);
    expect(heard).toEqual([null, null, null]);
  });

  test('53: AUTH= of a trusted user is passed on', async () => {
    const server = new Server({
      allowAnonymous: true,
      authentication: 'optional',
      trustAuthParameter: (_mind, id) => id === 'ann',
    });
    const heard: unknown[] = [];
    server.delivery.onFrom = (_path, { auth }) => void heard.push(auth);
    const mail = (auth: string): string =>
      `\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 250...\nC: RSET\nS: 250...`;
    await server.play(`${GREETED}${mail('e+3Dmc2@example.com')}${LOGIN}${mail('e+3Dmc2@example.com')}${mail('<>')}`);
    expect(heard).toEqual([null, 'e=mc2@example.com', null]);
  });

  test('53: a submitter may be in UTF-8 (RFC 6531), and other octets are 501', async () => {
    const server = new Server({ trustAuthParameter: () => true });
    const heard: unknown[] = [];
    server.delivery.onFrom = (_path, { auth }) => void heard.push(auth);
    await server.play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com> AUTH=+C3+BC@example.com\nS: 250...\nC: RSET\nS: 250...\nC: MAIL FROM:<ann@example.com> AUTH=+FC@example.com\nS: 501...`,
    );
    expect(heard).toEqual(['ü@example.com']);
  });

  test.each(['', '=', 'e+3dmc2@example.com', 'e+@example.com', 'a=b@example.com', 'e+E2+80+AEa@example.com', '+C2+85'])(
    '53: AUTH=%s is 501',
    async (auth) => {
      await new Server().play(`${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 501 5.5.4 <any>`);
    },
  );

  test.each(['not-a-mailbox', '<ann@example.com', 'joe'])('53: AUTH=%s is 501 at an MX', async (auth) => {
    await new Server({ service: 'mx', allowAnonymous: true }).play(
      `${GREETED}\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 501 5.5.4 <any>`,
    );
  });

  test.each(['not-a-mailbox', '<ann@example.com', 'joe'])(
    '53: AUTH=%s at a submission server counts as <>',
    async (auth) => {
      const server = new Server({ trustAuthParameter: () => true });
      const heard: unknown[] = [];
      server.delivery.onFrom = (_path, parameters) => void heard.push(parameters.auth);
      await server.play(`${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com> AUTH=${auth}\nS: 250...`);
      expect(heard).toEqual([null]);
    },
  );
});
