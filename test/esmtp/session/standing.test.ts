import { type Conversation, Displaced, type Standing } from '@postern/conversation';
import { dialogue } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server, type ServerOptions } from '../server.ts';

const MESSAGE = `
C: DATA
S: 354...
C: Subject: x
C: .
S: 250...`;

describe('the standing of a peer', () => {
  it('is authenticated from AUTH to the logout, during a message too', async () => {
    expect(await standingsOf(`${GREETED}${LOGIN}${ENVELOPE}${MESSAGE}`)).toEqual(['authenticated', 'unauthenticated']);
  });

  it('is unauthenticated again after STARTTLS', async () => {
    const script = `${GREETED}${LOGIN}\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO client\nS: 250...${LOGIN}`;
    const options = { mechanismPolicy: { allowCleartext: true } };
    expect(await standingsOf(script, options, 'offered')).toEqual([
      'authenticated',
      'unauthenticated',
      'authenticated',
      'unauthenticated',
    ]);
  });

  it('stays unauthenticated after a failed login, and as Anonymous', async () => {
    const failed = '\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 535...';
    const anonymous = '\nC: AUTH ANONYMOUS {base64:me}\nS: 235...';
    expect(await standingsOf(`${GREETED}${failed}${anonymous}${ENVELOPE}`, { allowAnonymous: true })).toEqual([]);
  });

  it.each([
    ['DATA', MESSAGE],
    ['chunks', '\nC: BDAT 3\nC: <raw a\\r\\n>\nS: 250...\nC: BDAT 0 LAST\nS: 250...'],
    ['chunks that are taken back', '\nC: BDAT 3\nC: <raw a\\r\\n>\nS: 250...\nC: RSET\nS: 250...'],
  ])('is busy during the message of an unauthenticated client: %s', async (_how, message) => {
    const script = `${GREETED}${ENVELOPE}${message}\nC: NOOP\nS: 250...`;
    const options = { allowAnonymous: true, authentication: 'optional' } as const;
    expect(await standingsOf(script, options)).toEqual(['busy', 'unauthenticated']);
  });
});

describe('a session that is displaced', () => {
  it('sends 421 while it waits for a command', async () => {
    await displaced('\nS: 421 4.3.2 Too many connections, try again later\nS: <closed>', 'hears');
  });

  it('sends 421 in the middle of a message, and aborts the message', async () => {
    const message = '\nC: DATA\nS: 354...\nS: 421 4.3.2 Too many connections, try again later\nS: <closed>';
    const { delivery } = await displaced(`${ENVELOPE}${message}`, 'is busy');
    expect(delivery.calls).toContain('abort');
    expect(delivery.delivered).toEqual([]);
  });
});

/** Returns the standings that the transport gets during the script. */
async function standingsOf(
  script: string,
  options: ServerOptions = {},
  tlsPolicy: 'implicit' | 'offered' = 'implicit',
): Promise<Standing[]> {
  const server = new Server(options);
  const standings: Standing[] = [];
  await dialogue(
    (conversation) => {
      listen(conversation, (standing) => standings.push(standing));
      return server.protocol(conversation);
    },
    `${script}\nC: QUIT\nS: 221...`,
    { tlsPolicy, clock: server.clock },
  );
  return standings;
}

/**
 * Plays the script, and displaces the client when the session first hears, or when a message
 * begins.
 */
async function displaced(script: string, when: 'hears' | 'is busy'): Promise<Server> {
  const server = new Server({ allowAnonymous: true, authentication: 'optional' });
  await dialogue(
    (conversation) => {
      const displace = () => setImmediate(() => conversation.interrupt(new Displaced()));
      if (when === 'is busy') listen(conversation, displace);
      const over = server.protocol(conversation);
      if (when === 'hears') displace();
      return over;
    },
    `${when === 'hears' ? '\nS: 220...' : GREETED}${script}`,
    { tlsPolicy: 'implicit', clock: server.clock },
  );
  return server;
}

function listen({ transport }: Conversation, setStanding: (standing: Standing) => unknown): void {
  Object.assign(transport, { setStanding });
}
