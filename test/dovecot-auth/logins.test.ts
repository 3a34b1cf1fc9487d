import { describe, expect, test } from 'vitest';
import { AuthServer, greeted, HANDSHAKE } from './server.ts';

const JOE = '{base64:\\0joe\\0s3cret}';
const WRONG = '{base64:\\0joe\\0wrong}';

describe('a login by PLAIN', () => {
  test('succeeds in any case of letters, with the address of the client in its event', async () => {
    const server = new AuthServer();
    await server.play(`${greeted()}
      C: AUTH\\t7\\tplain\\tservice=smtp\\tnologin\\tlip=192.0.2.25\\trip=192.0.2.9\\tsecured\\tresp=${JOE}
      S: OK\\t7\\tuser=joe`);
    expect(server.events).toMatchObject([
      {
        kind: 'authenticated',
        mechanism: 'PLAIN',
        avatarId: 'joe',
        service: 'smtp',
        mind: {
          protocol: 'smtp',
          remote: { family: 'IPv4', address: '192.0.2.9' },
          local: { address: '192.0.2.25' },
        },
      },
    ]);
    expect(server.events[0]?.mind.tls).toBeUndefined();
  });

  test('is refused two seconds after the message of the client, while other requests get replies', async () => {
    const server = new AuthServer();
    await server.play(`${greeted()}
      C: AUTH\\t1\\tPLAIN\\tservice=smtp\\trip=192.0.2.9\\tresp=${WRONG}
      S: <silence>
      C: AUTH\\t2\\tPLAIN\\tservice=smtp\\tresp=${JOE}
      S: OK\\t2\\tuser=joe
      C: <advance 1999ms>
      S: <silence>
      C: <advance 1ms>
      S: FAIL\\t1`);
    expect(server.events).toMatchObject([
      { kind: 'login-refused', mechanism: 'PLAIN', reply: 'FAIL', error: { code: 'unauthorized' }, service: 'smtp' },
      { kind: 'authenticated' },
    ]);
    expect(server.events[0]).not.toHaveProperty('username');
  });

  test('works with VERSION, CPID and AUTH in one write, and without VERSION', async () => {
    await new AuthServer().play(`${HANDSHAKE}
      C: VERSION\\t1\\t0
      C: CPID\\t1
      C: AUTH\\t9\\tPLAIN\\tresp=${JOE}
      S: OK\\t9\\tuser=joe`);
    await new AuthServer().play(`${HANDSHAKE}
      C: CPID\\t1
      C: AUTH\\t1\\tPLAIN\\tresp=${JOE}
      S: OK\\t1\\tuser=joe`);
  });
});
