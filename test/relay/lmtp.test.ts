import { describe, expect, it } from 'vitest';
import { resultsOf } from '../support/results.ts';
import { ann, codes, deliver, envelope, eve, finish, greeting, joe, scripted } from './upstream.ts';

const LHLO = greeting('PIPELINING').replace('EHLO', 'LHLO');

const THREE = `${LHLO}
  C: MAIL FROM:<joe@example.com>
  C: RCPT TO:<ann@example.org>
  C: RCPT TO:<eve@example.org>
  C: RCPT TO:<joe@example.com>
  S: 250 2.1.0 ok
  S: 250 2.1.5 ok
  S: 550 5.1.1 no eve
  S: 250 2.1.5 ok
  C: DATA
  S: 354 go
  C: hello
  C: .`;

describe('a message to an LMTP server', () => {
  it.each([
    ['S: 250 2.0.0 kept\nS: 250 2.0.0 kept', [250, 550, 250]],
    ['S: 452 4.2.2 full\nS: 250 2.0.0 kept', [452, 550, 250]],
    ['S: 250 2.0.0 kept\nS: 552 5.2.2 full for good', [250, 550, 552]],
    ['S: 250 2.0.0 kept\nS: 530 5.7.0 log in', [250, 550, 451]],
    // Replies that have arrived count. Recipients without one get a temporary failure.
    ['S: 250 2.0.0 kept\nS: <close>', [250, 550, 451]],
    ['S: 250 2.0.0 kept\nS: what?\nS: 250 2.0.0 kept', [250, 550, 451]],
    ['S: <close>', [451, 550, 451]],
  ])('has a result for each recipient: %j', async (answers, results) => {
    const { delivery, over } = scripted([`${THREE}\n${answers}`], { lmtp: true });
    const message = delivery.openMessage(envelope([ann, eve, joe]));
    expect(codes(await finish(message))).toEqual(results);
    await over();
  });

  it('has a reply for each recipient that RCPT accepted', async () => {
    const { delivery, over } = scripted(
      [
        `${LHLO}
        C: MAIL FROM:<joe@example.com>
        C: RCPT TO:<ann@example.org>
        S: 250 2.1.0 ok
        S: 250 2.1.5 ok
        C: RCPT TO:<eve@example.org>
        S: 250 2.1.5 ok
        C: DATA
        S: 354 go
        C: hello
        C: .
        S: 250 2.0.0 kept
        S: 452 4.2.2 full`,
      ],
      { lmtp: true },
    );
    expect(await deliver(delivery, envelope([ann, eve]))).toEqual([250, 452]);
    await over();
  });

  it('is delivered twice to a recipient named twice', async () => {
    const { delivery, over } = scripted(
      [`${THREE.replace('eve', 'ann').replace('550 5.1.1 no eve', '250 2.1.5 ok')}\nS: 250 a\nS: 450 b\nS: 250 c`],
      { lmtp: true },
    );
    const message = delivery.openMessage(envelope([ann, ann, joe]));
    expect(codes(await finish(message))).toEqual([250, 450, 250]);
    await over();
  });

  it('reports each result when it arrives', async () => {
    const { delivery, answer } = scripted([`${THREE}\nS: 452 4.2.2 full`], { lmtp: true });
    const message = delivery.openMessage(envelope([ann, eve, joe]));
    const told: unknown[] = [];
    const first = Promise.withResolvers<void>();
    await message.write(Buffer.from('hello\r\n'));
    const ended = message.end((recipient, result) => {
      told.push([recipient, result?.code]);
      first.resolve();
    });
    await first.promise;
    expect(told).toEqual([[0, 452]]);
    await answer('250 2.0.0 kept');
    expect(codes(resultsOf(await ended))).toEqual([452, 550, 250]);
    expect(told).toEqual([
      [0, 452],
      [2, 250],
    ]);
  });
});
