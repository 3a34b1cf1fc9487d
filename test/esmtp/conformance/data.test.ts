import { Rejection } from '@postern/esmtp';
import { describe, expect, test } from 'vitest';
import { ENVELOPE, GREETED, LOGIN, Server } from '../server.ts';
import { bodies, DATA, MESSAGE, play } from './support.ts';

describe('RFC 5321: data, acceptance, trace', () => {
  test('19: the stuffed dot is removed, and the CRLF before the end kept', async () => {
    const server = await play(`${ENVELOPE}${DATA}\nC: ..\nC: ..x\nC: .y\nC: x..\nC: .\nS: 250...`);
    expect(bodies(server)).toEqual(['.\r\n.x\r\ny\r\nx..\r\n']);
  });

  test('19: a dot at once is an empty message', async () => {
    const server = await play(`${ENVELOPE}${DATA}\nC: .\nS: 250...`);
    expect(bodies(server)).toEqual(['']);
  });

  test('20: 250 follows when the message is safe, and not before', async () => {
    const safe = Promise.withResolvers<void>();
    const server = new Server();
    server.delivery.onEnd = () => safe.promise;
    await server.play(
      `${GREETED}${LOGIN}${ENVELOPE}${DATA}\nC: hello\nC: .\nS: <silence>\nC: <raw {safe}>\nS: 250...`,
      {
        values: {
          safe: () => {
            safe.resolve();
            return '';
          },
        },
      },
    );
    expect(server.delivery.delivered).toHaveLength(1);
  });

  test("20: the id in the reply is the message's", async () => {
    const server = new Server();
    const transcript = await server.play(`${GREETED}${LOGIN}${ENVELOPE}${MESSAGE}${ENVELOPE}${MESSAGE}`);
    const ids = server.delivery.delivered.map(({ envelope }) => envelope.id);
    expect([...transcript.matchAll(/^S: 250 2\.0\.0 OK ([a-z0-9]+)$/gm)].map(([, id]) => id)).toEqual(ids);
    expect(new Set(ids).size).toBe(2);
  });

  test('21: the server adds one Received field before the message, and keeps the existing ones', async () => {
    const server = await play(
      `${ENVELOPE}${DATA}\nC: Received: from a by b; Thu, 1 Jan 1970 00:00:00 +0000\nC: Subject: hi\nC:\nC: .\nS: 250...`,
    );
    const [delivered] = server.delivery.delivered;
    const unfolded = (delivered?.text ?? '').replace(/\r\n(?=[ \t])/g, '');
    expect(unfolded.split('\r\n')).toEqual([
      expect.stringMatching(
        /^Received: from client\.example\.org \(\[192\.0\.2\.1\]\) by mx\.example\.com with ESMTPSA id [a-z0-9]+ for <bob@example\.com> tls TLS_AES_256_GCM_SHA384; \w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d \+0000$/,
      ),
      'Received: from a by b; Thu, 1 Jan 1970 00:00:00 +0000',
      'Subject: hi',
      '',
      '',
    ]);
  });

  test('21, 43: the "with" keyword names the protocol', async () => {
    const withOf = async (script: string, tlsPolicy: 'none' | 'implicit'): Promise<string | undefined> => {
      const server = new Server({
        allowAnonymous: true,
        authentication: 'optional',
        mechanismPolicy: { allowCleartext: true },
      });
      await server.play(`S: 220...${script}`, { tlsPolicy });
      return / with (\w+)\s/.exec(server.delivery.delivered[0]?.text ?? '')?.[1];
    };
    const mail = `${ENVELOPE}${MESSAGE}`;
    const utf8 = mail.replace('FROM:<ann@example.com>', 'FROM:<ann@example.com> SMTPUTF8');
    const helo = '\nC: HELO client.example.org\nS: 250...';
    const ehlo = '\nC: EHLO client.example.org\nS: 250...';
    expect(await withOf(helo + mail, 'none')).toBe('SMTP');
    expect(await withOf(ehlo + mail, 'none')).toBe('ESMTP');
    expect(await withOf(ehlo + mail, 'implicit')).toBe('ESMTPS');
    expect(await withOf(ehlo + LOGIN + mail, 'none')).toBe('ESMTPA');
    expect(await withOf(ehlo + LOGIN + mail, 'implicit')).toBe('ESMTPSA');
    expect(await withOf(ehlo + utf8, 'none')).toBe('UTF8SMTP');
    expect(await withOf(ehlo + utf8, 'implicit')).toBe('UTF8SMTPS');
    expect(await withOf(ehlo + LOGIN + utf8, 'none')).toBe('UTF8SMTPA');
    expect(await withOf(ehlo + LOGIN + utf8, 'implicit')).toBe('UTF8SMTPSA');
  });

  test('21: a message that begins with a space does not continue the Received field', async () => {
    for (const script of [
      `${DATA}\nC: \\tby forger; now\nC: .`,
      '\nC: BDAT 1\nC: <raw \\t>\nS: 250...\nC: BDAT 16 LAST\nC: by forger; now',
    ]) {
      const server = await play(`${ENVELOPE}${script}\nS: 250...`);
      expect(server.delivery.delivered[0]?.text).toMatch(/^Received: [\s\S]* \+0000\r\n\r\n\tby forger; now\r\n$/);
    }
  });

  test('22: a message with the maximum number of Received fields is a loop', async () => {
    const fields = (count: number): string => '\nC: received: from a by b; date'.repeat(count);
    const server = await play(
      `${ENVELOPE}${DATA}${fields(100)}\nC:\nC: .\nS: 554 5.4.6 Too many Received fields: the message goes in circles`,
    );
    expect(server.delivery.calls).toEqual(['from', 'to', 'open', 'abort', 'logout']);
    await play(`${ENVELOPE}${DATA}${fields(99)}\nC:${fields(50)}\nC: .\nS: 250...`);
  });

  test('22: a message that violates RFC 5322 is accepted', async () => {
    const server = await play(`${ENVELOPE}${DATA}\nC: no header, \\x80 and \\0 and\\x07\nC: .\nS: 250...`);
    expect(bodies(server)).toEqual(['no header, \x80 and \0 and\x07\r\n']);
  });

  test('23: a delivery refuses with its own reply, and the session continues', async () => {
    const server = new Server();
    server.delivery.onFrom = (path) => {
      if (path?.localPart === 'eve') throw new Rejection(550, '5.7.1', 'Not yours');
    };
    server.delivery.onTo = async ({ localPart }) => {
      if (localPart === 'nobody') throw new Rejection(550, '5.1.1', 'No such mailbox');
    };
    await server.play(`${GREETED}${LOGIN}
      C: MAIL FROM:<eve@example.com>
      S: 550 5.7.1 Not yours
      C: RCPT TO:<bob@example.com>
      S: 503...
      C: MAIL FROM:<ann@example.com>
      S: 250...
      C: RCPT TO:<nobody@example.com>
      S: 550 5.1.1 No such mailbox
      C: DATA
      S: 503...
      C: RCPT TO:<bob@example.com>
      S: 250...${MESSAGE}`);
    expect(server.delivery.delivered[0]?.envelope.recipients).toHaveLength(1);
  });
});
