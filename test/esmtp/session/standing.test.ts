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

describe('a session tells the server that a peer', () => {
  it('is known from AUTH to the logout, in the middle of a message as well', async () => {
    expect(await standingsOf(`${GREETED}${LOGIN}${ENVELOPE}${MESSAGE}`)).toEqual(['authenticated', 'unauthenticated']);
  });

  it('is known no longer after STARTTLS', async () => {
    const script = `${GREETED}${LOGIN}\nC: STARTTLS\nS: 220...\nC: <starttls>\nC: EHLO client\nS: 250...${LOGIN}`;
    const options = { mechanismPolicy: { allowCleartext: true } };
    expect(await standingsOf(script, options, 'offered')).toEqual([
      'authenticated',
      'unauthenticated',
      'authenticated',
      'unauthenticated',
    ]);
  });

  it('is no better known after a login that fails, or as a guest', async () => {
    const failed = '\nC: AUTH PLAIN {base64:\\0ann\\0wrong}\nS: 535...';
    const anonymous = '\nC: AUTH ANONYMOUS {base64:me}\nS: 235...';
    expect(await standingsOf(`${GREETED}${failed}${anonymous}${ENVELOPE}`, { allowAnonymous: true })).toEqual([]);
  });

  it.each([
    ['DATA', MESSAGE],
    ['chunks', '\nC: BDAT 3\nC: <raw a\\r\\n>\nS: 250...\nC: BDAT 0 LAST\nS: 250...'],
    ['chunks that are taken back', '\nC: BDAT 3\nC: <raw a\\r\\n>\nS: 250...\nC: RSET\nS: 250...'],
  ])('is busy while a stranger’s message comes: %s', async (_how, message) => {
    const script = `${GREETED}${ENVELOPE}${message}\nC: NOOP\nS: 250...`;
    const options = { allowAnonymous: true, authentication: 'optional' } as const;
    expect(await standingsOf(script, options)).toEqual(['busy', 'unauthenticated']);
  });
});

describe('a session that is to make room', () => {
  it('says 421 where it waits for a command', async () => {
    await displaced('\nS: 421 4.3.2 Too many connections, try again later\nS: <closed>', 'hears');
  });

  it('says 421 in the middle of a message, and aborts that', async () => {
    const message = '\nC: DATA\nS: 354...\nS: 421 4.3.2 Too many connections, try again later\nS: <closed>';
    const { delivery } = await displaced(`${ENVELOPE}${message}`, 'is busy');
    expect(delivery.calls).toContain('abort');
    expect(delivery.delivered).toEqual([]);
  });
});

/** What the server hears of the peer while the script is played. */
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

/** Plays the script with a stranger whose place is needed: when the session first hears, or when a message begins. */
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
