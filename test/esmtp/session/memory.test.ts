import { MemoryBudget } from '@postern/conversation';
import { settle } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { GREETED, LOGIN, Server } from '../server.ts';

const KIB = 1024;
const MAIL = '\nC: MAIL FROM:<ann@example.com>\nS: 250 2.1.0 Sender OK';
const LONG = '\nC: RCPT TO:<bob@example.com> ORCPT=rfc822;{repeat:1000:x}';

describe('the memory of an envelope', () => {
  test('is bounded for each connection: 452 asks the client for another transaction', async () => {
    const memory = new MemoryBudget({ maxConnectionMemory: 20 * KIB });
    const full = `${MAIL}${`${LONG}\nS: 250...`.repeat(4)}${LONG}\nS: 452 4.5.3 Too many recipients`;
    const sent = '\nC: DATA\nS: 354...\nC: Hello\nC: .\nS: 250...';
    await new Server().play(`${GREETED}${LOGIN}${full}${sent}${full}\nC: RSET\nS: 250...${full}`, {
      conversation: { memory },
    });
  });

  test('is bounded for all connections: RCPT and MAIL are 452 while others hold too much', async () => {
    const memory = new MemoryBudget({ maxMemory: 64 * KIB });
    const other = memory.open();
    while (other.reserve(KIB));
    const small = '\nC: RCPT TO:<bob@example.com>\nS: 250 2.1.5 Recipient OK';
    await new Server().play(
      `${GREETED}${LOGIN}${MAIL}${small}${`${LONG}\nS: 250...`.repeat(2)}${LONG}\nS: 452 4.3.1 Insufficient system storage, try again later`,
      { conversation: { memory } },
    );
    other.charge(64 * KIB - memory.held);
    await new Server().play(
      `${GREETED}${LOGIN}\nC: MAIL FROM:<ann@example.com>\nS: 452 4.3.1 Insufficient system storage, try again later`,
      { conversation: { memory } },
    );
  });

  test('is released after the message, RSET, EHLO, a refusal and the end, and not before', async () => {
    const memory = new MemoryBudget();
    const held: number[] = [];
    const server = new Server();
    server.delivery.onTo = ({ localPart }) => {
      held.push(memory.held);
      if (localPart === 'eve') throw new Error('down');
    };
    server.delivery.onEnd = async () => {
      await settle();
      held.push(memory.held);
    };
    const rcpt = '\nC: RCPT TO:<bob@example.com>\nS: 250...';
    const refused = '\nC: RCPT TO:<eve@example.com>\nS: 451...';
    await server.play(
      [
        `${GREETED}${LOGIN}${MAIL}${rcpt}\nC: DATA\nS: 354...\nC: Hello\nC: .\nS: 250...`,
        `${MAIL}${rcpt}\nC: RSET\nS: 250...${MAIL}${refused}${rcpt}`,
        '\nC: EHLO again.example.org\nS: 250...',
        `${MAIL}${rcpt}\nC: BDAT 2 LAST\nC: <raw hi>\nS: 250...${MAIL}${rcpt}`,
      ].join(''),
      { conversation: { memory } },
    );
    const [empty = 0, full = 0] = held;
    expect(full).toBeGreaterThan(empty);
    expect(held).toEqual([empty, full, empty, empty, empty, empty, full, empty]);
    const idle = memory.held;
    expect(idle).toBe(new MemoryBudget().open().held);
  });

  test('includes a header that is held, and too little refuses the message', async () => {
    const memory = new MemoryBudget({ maxConnectionMemory: 20 * KIB });
    const server = new Server({ addMissingHeaders: true });
    const header = `\nC: <raw ${'X-Field: {repeat:900:x}\\r\\n'.repeat(4)}>`;
    await server.play(
      `${GREETED}${LOGIN}${MAIL}\nC: RCPT TO:<bob@example.com>\nS: 250...\nC: DATA\nS: 354...${header.repeat(5)}\nC:\nC: .\nS: 452 4.3.1...${MAIL}`,
      { conversation: { memory } },
    );
    expect(server.delivery.delivered).toEqual([]);
  });
});
