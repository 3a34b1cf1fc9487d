import { Conversation } from '@postern/conversation';
import { AvatarRealm, checker, Identity, identityOf, Portal, UnauthorizedLogin } from '@postern/cred';
import { BearerToken, oauthBearer } from '@postern/sasl';
import { oauthBearerResponder, type Responder, scramResponder } from '@postern/sasl/client';
import { memoryPipe, readChunk } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { AuthServer } from './server.ts';

const UNIX = { family: 'unix', address: '', port: 0 } as const;
const LIMITS = { minChallengeDelay: 0, loginFailureDelay: 0 };
const joe = { username: 'joe', password: 's3cret' };

/**
 * Logs a user in through the auth server, as a mail server does. Resolves with the server's lines
 * without their base64.
 */
async function logIn(server: AuthServer, responder: Responder, parameters = ''): Promise<string[]> {
  const { client, server: end } = memoryPipe({ client: UNIX, server: UNIX });
  const ended = server.protocol(new Conversation(end, { deadlines: server.deadlines }));
  const lines: string[] = [];
  let rest = '';
  const hear = async (): Promise<string> => {
    while (!rest.includes('\n')) rest += Buffer.from((await readChunk(client)) ?? Buffer.from('<closed>\n')).toString();
    const line = rest.slice(0, rest.indexOf('\n'));
    rest = rest.slice(line.length + 1);
    return line;
  };
  while ((await hear()) !== 'DONE');
  let isUnfolded = false;
  const say = async (message: Uint8Array | undefined): Promise<Uint8Array | undefined> => {
    if (isUnfolded) return undefined;
    const base64 = Buffer.from(message ?? []).toString('base64');
    const first = `VERSION\t1\t0\nAUTH\t1\t${responder.mechanism}\tservice=smtp${parameters}\tresp=${base64}\n`;
    await client.write(lines.length === 0 ? first : `CONT\t1\t${base64}\n`);
    const line = await hear();
    lines.push(line.replace(/^(CONT\t1\t|.*\tresp=).+$/, '$1…'));
    if (line.startsWith('CONT')) return Buffer.from(line.split('\t')[2] ?? '', 'base64');
    const [, final] = /\tresp=(.*)$/.exec(line) ?? [];
    isUnfolded = final !== undefined;
    return final === undefined ? undefined : Buffer.from(final, 'base64');
  };
  await responder.respond(say, { tls: undefined, secure: true, offered: [responder.mechanism] }).catch(() => {});
  client.end();
  await ended;
  return lines;
}

describe.each(['sha256', 'sha512'] as const)('SCRAM with %s', (hash) => {
  test('sends the server-final-message as one more CONT, whose answer is empty', async () => {
    const server = new AuthServer({ listGnuScram: true, limits: LIMITS });
    expect(await logIn(server, scramResponder({ ...joe, hash }))).toEqual([
      'CONT\t1\t…',
      'CONT\t1\t…',
      'OK\t1\tuser=joe',
    ]);
    expect(server.kinds).toEqual(['authenticated']);
  });

  test('sends the server-final-message in resp= of OK to a client that says final-resp-ok', async () => {
    const server = new AuthServer({ listGnuScram: true, limits: LIMITS });
    const lines = await logIn(server, scramResponder({ ...joe, hash }), '\tfinal-resp-ok');
    expect(lines).toEqual(['CONT\t1\t…', 'OK\t1\tuser=joe\tresp=…']);
  });

  test('refuses a wrong password', async () => {
    const server = new AuthServer({ listGnuScram: true, limits: LIMITS });
    const wrong = { ...joe, password: 'wrong' };
    expect(await logIn(server, scramResponder({ ...wrong, hash }))).toEqual(['CONT\t1\t…', 'FAIL\t1']);
    expect(server.events).toMatchObject([{ kind: 'login-refused', error: { code: 'unauthorized' } }]);
  });
});

describe('OAUTHBEARER', () => {
  const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(
    checker([BearerToken], ({ token }) => {
      if (token !== 'right') throw new UnauthorizedLogin();
      return 'joe';
    }),
  );

  test('logs in with a token', async () => {
    const server = new AuthServer({ portal, challengers: [oauthBearer()], limits: LIMITS });
    const lines = await logIn(server, oauthBearerResponder({ token: 'right' }));
    expect(lines).toEqual(['OK\t1\tuser=joe']);
  });

  test('sends its error as a CONT, and FAIL after the answer, empty or not', async () => {
    for (const answer of ['AQ==', '']) {
      const server = new AuthServer({ portal, challengers: [oauthBearer()], limits: LIMITS });
      await server.play(`
        S: VERSION\\t1\\t3
        S: MECH\\tOAUTHBEARER
        S: SPID\\t<any>
        S: CUID\\t<any>
        S: COOKIE\\t<any>
        S: DONE
        C: AUTH\\t1\\tOAUTHBEARER\\tresp={base64:n,a=joe,\\x01auth=Bearer wrong\\x01\\x01}
        S: CONT\\t1\\t<any>
        C: CONT\\t1\\t${answer}
        S: FAIL\\t1`);
      expect(server.events).toMatchObject([{ kind: 'login-refused', error: { code: 'unauthorized' } }]);
    }
  });
});
