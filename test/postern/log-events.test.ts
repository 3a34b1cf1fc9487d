import { describe, expect, it } from 'vitest';
import { prettyLog } from '../../packages/postern/src/log.ts';
import { logTrouble } from '../../packages/postern/src/log-events.ts';

describe('the log', () => {
  it('tells once a minute that connections cannot be accepted, and not for each of them', () => {
    const lines: string[] = [];
    let now = 0;
    const tell = logTrouble(
      prettyLog((line) => lines.push(line)),
      () => now,
    );
    const trouble = { kind: 'accept', error: new Error('accept EMFILE') } as const;
    for (let times = 0; times < 1_000; times++) tell(trouble);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toContain('cannot accept connections error="accept EMFILE"');
    now = 60_000;
    tell(trouble);
    expect(lines).toHaveLength(2);
  });
});
