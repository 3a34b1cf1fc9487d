import { describe, expect, it } from 'vitest';
import { DiscardDelivery } from '../../packages/postern/src/deliver-specs.ts';
import { prepareDelivery } from '../../packages/postern/src/delivery-target.ts';
import { StartError } from '../../packages/postern/src/errors.ts';

describe('the preparation of a delivery', () => {
  const place = (answer: () => Promise<void>) => Object.assign(() => new DiscardDelivery(), { prepare: answer });

  it('fails the start after a timeout if it never settles', async () => {
    const outcome = prepareDelivery(
      place(() => new Promise<void>(() => {})),
      1,
    );
    await expect(outcome).rejects.toThrow(StartError);
    await expect(outcome).rejects.toThrow('--deliver: not ready after 1 ms; expected a target that answers');
  });

  it('delays the start until it settles', async () => {
    await prepareDelivery(place(async () => {}));
    await prepareDelivery(() => new DiscardDelivery());
    const broken = place(() => Promise.reject(new StartError('no room')));
    await expect(prepareDelivery(broken)).rejects.toThrow('no room');
  });
});
