import { describe, expect, it } from 'vitest';
import { DiscardDelivery } from '../../packages/postern/src/discard-delivery.ts';
import { prepare } from '../../packages/postern/src/prepare.ts';
import { StartError } from '../../packages/postern/src/start-error.ts';

describe('the preparation of a delivery', () => {
  const place = (answer: () => Promise<void>) => Object.assign(() => new DiscardDelivery(), { prepare: answer });

  it('fails the start after a timeout if it never settles', async () => {
    const outcome = prepare(
      place(() => new Promise<void>(() => {})),
      1,
    );
    await expect(outcome).rejects.toThrow(StartError);
    await expect(outcome).rejects.toThrow('--deliver: not ready after 1 ms; expected a place that answers');
  });

  it('delays the start until it settles', async () => {
    await prepare(place(async () => {}));
    await prepare(() => new DiscardDelivery());
    const broken = place(() => Promise.reject(new StartError('no room')));
    await expect(prepare(broken)).rejects.toThrow('no room');
  });
});
