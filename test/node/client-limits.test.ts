import { describe, expect, it } from 'vitest';
import { ClientLimits } from '../../packages/node/src/client-limits.ts';

describe('ClientLimits', () => {
  it.each([{ connections: -1 }, { connectionsPerClient: Number.NaN }])('cannot be %j', (limits) => {
    expect(() => new ClientLimits(limits)).toThrow(RangeError);
  });

  it('remembers nobody who has left', () => {
    const limits = new ClientLimits();
    for (const client of ['a', 'a', 'b', undefined]) limits.enter(client);
    expect(limits.clients).toBe(2);
    for (const client of ['a', 'b', undefined]) limits.leave(client);
    expect(limits.clients).toBe(1);
    limits.leave('a');
    expect(limits.clients).toBe(0);
  });

  it('counts all, and each client’s', () => {
    const limits = new ClientLimits({ connections: 3, connectionsPerClient: 2 });
    expect(limits.enter('a')).toBeUndefined();
    expect(limits.enter('a')).toBeUndefined();
    expect(limits.enter('a')).toBe('connections-per-client');
    expect(limits.enter('b')).toBeUndefined();
    expect(limits.enter('b')).toBe('connections');
    limits.leave('a');
    expect(limits.enter('a')).toBeUndefined();
    limits.leave('b');
    expect(limits.enter('a')).toBe('connections-per-client');
    expect(limits.enter(undefined)).toBeUndefined();
    expect(limits.enter(undefined)).toBe('connections');
  });
});
