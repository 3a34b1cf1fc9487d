import { getHeapStatistics } from 'node:v8';
import { Conversation, type MemoryAccount, MemoryBudget } from '@postern/conversation';
import { memoryPipe, settle } from '@postern/testing';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { runs } from '../support/fuzz.ts';

const KIB = 1024;

describe('a memory budget', () => {
  it('is half of the heap’s limit by default', () => {
    expect(new MemoryBudget().maxMemory).toBe(getHeapStatistics().heap_size_limit / 2);
  });

  it.each([{ maxMemory: 0 }, { maxConnectionMemory: Number.NaN }])('throws a RangeError for %j', (options) => {
    expect(() => new MemoryBudget(options)).toThrow(RangeError);
  });

  it('refuses more than one connection may hold', () => {
    const account = new MemoryBudget({ maxMemory: 10_000 * KIB, maxConnectionMemory: 100 * KIB }).open();
    expect(account.reserve(90 * KIB)).toBe(true);
    expect(account.shortageOf(10 * KIB)).toBe('connection');
    expect(account.reserve(10 * KIB)).toBe(false);
    account.release(90 * KIB);
    expect(account.reserve(90 * KIB)).toBe(true);
  });

  it('reserves its last quarter for small accounts', () => {
    const budget = new MemoryBudget({ maxMemory: 1_000 * KIB, maxConnectionMemory: 1_000 * KIB });
    const greedy = budget.open();
    while (greedy.reserve(10 * KIB));
    expect(greedy.shortageOf(10 * KIB)).toBe('process');
    expect(greedy.held).toBeGreaterThan(700 * KIB);
    expect(greedy.held).toBeLessThanOrEqual(750 * KIB);
    const ordinary = budget.open();
    expect(ordinary.reserve(10 * KIB)).toBe(true);
    expect(ordinary.shortageOf(10 * KIB)).toBe('process');
  });

  it('has no room for a connection when it is used up', () => {
    const budget = new MemoryBudget({ maxMemory: 100 * KIB });
    const accounts: MemoryAccount[] = [];
    while (budget.hasRoom) accounts.push(budget.open());
    expect(accounts).toHaveLength(12);
    accounts[0]?.close();
    expect(budget.hasRoom).toBe(true);
  });

  it('never exceeds its bound by reservations, and is empty after all accounts close', () => {
    const step = fc.record({
      account: fc.nat(9),
      octets: fc.nat(200 * KIB),
      kind: fc.constantFrom('reserve', 'release', 'close', 'charge'),
    });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 200 }), (steps) => {
        const budget = new MemoryBudget({ maxMemory: 1_000 * KIB, maxConnectionMemory: 300 * KIB });
        const accounts = Array.from({ length: 10 }, () => budget.open());
        for (const { account: index, octets, kind } of steps) {
          const account = accounts[index] as MemoryAccount;
          const before = budget.held;
          if (kind === 'reserve' && account.reserve(octets)) {
            expect(budget.held).toBeLessThanOrEqual(Math.max(before, 1_000 * KIB));
          }
          if (kind === 'release') account.release(Math.min(octets, account.held));
          if (kind === 'charge') account.charge(octets);
          if (kind === 'close') account.close();
          expect(budget.held).toBe(accounts.reduce((sum, { held }) => sum + held, 0));
        }
        for (const account of accounts) account.close();
        expect(budget.held).toBe(0);
      }),
      { numRuns: runs(100) },
    );
  });

  it('counts the output that a peer has not read', async () => {
    const budget = new MemoryBudget();
    const { client, server } = memoryPipe({ highWaterMark: 100 });
    const conversation = new Conversation(server, { memory: budget });
    const idle = budget.held;
    conversation.say('x'.repeat(10_000));
    const flushed = conversation.flush();
    expect(budget.held).toBe(idle + 10_000);
    while (client.read() !== 'later') await settle();
    await flushed;
    expect(budget.held).toBe(idle);
    conversation.destroy();
  });
});
