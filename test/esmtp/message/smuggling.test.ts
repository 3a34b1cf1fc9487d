import { describe, expect, test } from 'vitest';
import { SMUGGLING } from '../../support/smuggling.ts';
import { bodies, send } from '../wire.ts';

const BEGIN = 'EHLO client.example.org\r\nAUTH PLAIN AGFubgBzZWNyZXQ=\r\n';
const ENVELOPE = 'MAIL FROM:<ann@example.com>\r\nRCPT TO:<bob@example.com>\r\nDATA\r\n';
const SMUGGLED = 'MAIL FROM:<root@example.com>\r\nRCPT TO:<eve@example.com>\r\nDATA\r\nsmuggled\r\n.\r\n';

/**
 * Sequences that a sender with dot stuffing may pass on, and that a bad server reads as the end of
 * data.
 */
const sequences = [...SMUGGLING, '\r\n.\0\r\n', '\r\n.\r\0\n', '\n\n.\n\n', '\r\n..\r\n'];

describe.each(sequences)('%j in the middle of a message', (sequence) => {
  const session = `${BEGIN}${ENVELOPE}body${sequence}${SMUGGLED}QUIT\r\n`;
  const harmless = !/(?<!\r)\n|\r(?!\n)/.test(sequence);

  test('does not end it, and the rest is not run as commands', async () => {
    const outcome = await send(session);
    // SMUGGLED holds one true end: that of the one message there is.
    expect(outcome.said.match(/^354 /gm)).toHaveLength(1);
    expect(outcome.delivered).toHaveLength(harmless ? 1 : 0);
    expect(outcome.said).toMatch(
      harmless ? /^354 .*\r\n250 2\.0\.0 OK ID\r\n221 /m : /^354 .*\r\n550 5\.6\.11 .*\r\n221 /m,
    );
    expect(outcome.server.delivery.calls.filter((call) => call === 'open')).toHaveLength(1);
  });

  test('gives the same result, however the octets are split', async () => {
    const whole = await send(session);
    const from = session.indexOf('body');
    for (let splitAt = from; splitAt <= from + sequence.length + 10; splitAt++) {
      const split = await send(session, { chunks: { splitAt } });
      expect([split.said, bodies(split)]).toEqual([whole.said, bodies(whole)]);
    }
    const octets = await send(session, { chunks: 'octets' });
    expect([octets.said, bodies(octets)]).toEqual([whole.said, bodies(whole)]);
  });
});

describe('the end of data', () => {
  test('is found after CR CR LF . CR LF, which is refused for its bare CR', async () => {
    const { said, delivered } = await send(`${BEGIN}${ENVELOPE}body\r\r\n.\r\nNOOP\r\nQUIT\r\n`);
    expect(said).toMatch(/^354 .*\r\n550 5\.6\.11 .*\r\n250 2\.0\.0 OK\r\n221 /m);
    expect(delivered).toHaveLength(0);
  });

  test('is found in a dot that comes first', async () => {
    const outcome = await send(`${BEGIN}${ENVELOPE}.\r\n${ENVELOPE}x\r\n.\r\nQUIT\r\n`);
    expect(bodies(outcome)).toEqual(['', 'x\r\n']);
  });

  test('is found after a message that is too large', async () => {
    const large = `${'x'.repeat(500)}\r\n`.repeat(10);
    for (const chunks of ['whole', 'octets'] as const) {
      const outcome = await send(
        `${BEGIN}${ENVELOPE}${large}.\r\n${ENVELOPE}.\r\nQUIT\r\n`,
        { chunks },
        { limits: { maxMessageSize: 1000 } },
      );
      expect(outcome.said).toMatch(/^552 5\.3\.4 /m);
      expect(bodies(outcome)).toEqual(['']);
    }
  });

  test('is found after a delivery that failed', async () => {
    const options = { limits: { maxReceivedFields: 1 } };
    const outcome = await send(
      `${BEGIN}${ENVELOPE}Received: x\r\n${'y\r\n'.repeat(100)}.\r\n${ENVELOPE}.\r\nQUIT\r\n`,
      {},
      options,
    );
    expect(outcome.said).toMatch(/^554 5\.4\.6 .*\r\n250 2\.1\.0 /m);
    expect(bodies(outcome)).toEqual(['']);
  });
});

test.each([
  ['\n', /^500 .*\r\n$/m],
  ['\r', /^500 .*\r\n$/m],
  ['\0', /^500 .*\r\n221 .*\r\n$/m],
])('%j in a command smuggles no command', async (octets, end) => {
  const { said } = await send(
    `EHLO client.example.org\r\nNOOP${octets}MAIL FROM:<a@b>\r\nQUIT\r\n`,
    {},
    { authentication: 'optional' },
  );
  expect(said).toMatch(end);
  expect(said).not.toContain('530');
});

describe('commands in clear text behind STARTTLS', () => {
  const tail = 'RSET\r\nEHLO attacker.example.org\r\nMAIL FROM:<root@example.com>\r\n';
  const session = `EHLO client.example.org\r\nSTARTTLS\r\n${tail}`;

  test('are not run, however the octets are split', async () => {
    const from = session.indexOf('STARTTLS');
    for (let splitAt = from; splitAt < session.length; splitAt++) {
      const { said, server } = await send(session, { chunks: { splitAt }, tlsPolicy: 'offered' });
      expect(said).toMatch(/^220 .*\r\n(?:250-.*\r\n)+250 .*\r\n(?:421 4\.7\.0 .*|220 2\.0\.0 .*)\r\n$/);
      expect(server.kinds()).not.toContain('tls-started');
    }
  });
});
