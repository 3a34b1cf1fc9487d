import { Rejection } from '../protocol/reply.ts';

/**
 * A call of a delivery that failed with an error other than a {@link Rejection}: `cause` is that
 * error.
 */
export class DeliveryFailed extends Error {
  constructor(cause: unknown) {
    super('a delivery failed', { cause });
  }

  override get name(): string {
    return 'DeliveryFailed';
  }
}

/**
 * Returns a {@link Rejection} or {@link DeliveryFailed} unchanged, and any other error as the cause
 * of a {@link DeliveryFailed}.
 */
export function asDeliveryFailure(error: unknown): Rejection | DeliveryFailed {
  return error instanceof Rejection || error instanceof DeliveryFailed ? error : new DeliveryFailed(error);
}
