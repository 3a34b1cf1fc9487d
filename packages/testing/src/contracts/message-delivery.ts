import assert from 'node:assert/strict';
import type { MaybePromise } from '@postern/cred';
import type { Mailbox, MessageDelivery } from '@postern/esmtp';
import { settle } from '../fake-clock.ts';
import type { ContractCase } from './case.ts';
import { DeliverySession } from './delivery-session.ts';

/** A delivery, and a look at the place where its messages are kept. */
export interface DeliveryUnderTest {
  readonly delivery: MessageDelivery;
  /** Returns the messages that a recipient has, each with whatever the delivery puts before it. */
  readonly stored: (recipient: Mailbox) => MaybePromise<readonly Uint8Array[]>;
  /** Removes what `make` has made. */
  readonly dispose?: () => MaybePromise<void>;
}

/** A delivery in which something fails. */
export interface DeliveryFault {
  /** What fails: `ENOSPC in the third call`. */
  readonly name: string;
  readonly make: () => MaybePromise<DeliveryUnderTest>;
  /** The class of the reply, 4 or 5, where the message is not accepted. Default: 4. */
  readonly replyClass?: 4 | 5;
}

/** A delivery, and what the contract has to know of it. A rule whose input is missing is skipped. */
export interface MessageDeliveryContract {
  /** Makes the delivery, for each rule anew. */
  readonly make: () => MaybePromise<DeliveryUnderTest>;
  /** Three recipients that it takes. */
  readonly recipients: readonly [Mailbox, Mailbox, Mailbox];
  /** Deliveries in which something fails: each step of the store should be among them. */
  readonly faults?: readonly DeliveryFault[];
  /** True if the delivery keeps a message for all recipients or for none where SMTP has one reply. Default: false. */
  readonly isAtomic?: boolean;
  /** A delivery whose mailboxes are empty and hold at most so many octets each. */
  readonly quota?: { readonly octets: number; readonly make: () => MaybePromise<DeliveryUnderTest> };
}

/**
 * What every delivery has to do: what is acknowledged is kept, for every recipient (RFC 5321 §6.1). Each rule runs whole sessions of
 * SMTP or LMTP over connections in memory.
 *
 * @example
 * ```ts
 * import { type MessageDeliveryContract, messageDeliveryContract } from '@postern/testing';
 * import { it } from 'vitest';
 *
 * declare const contract: MessageDeliveryContract;
 * for (const { name, run, skipped } of messageDeliveryContract(contract)) {
 *   it.skipIf(skipped !== undefined)(name, run);
 * }
 * ```
 */
export function messageDeliveryContract(contract: MessageDeliveryContract): readonly ContractCase[] {
  const { faults, quota, make } = contract;
  const rules = new Rules(contract);
  return [
    rule('keeps each octet for each recipient before the 250', make, (tested) => rules.keeps(tested, false)),
    rule('keeps each octet for each recipient before its reply of LMTP', make, (tested) => rules.keeps(tested, true)),
    rule('keeps apart the messages of clients that send at the same time', make, (tested) => rules.keepsApart(tested)),
    rule('keeps nothing of a message that the client does not complete', make, (tested) => rules.undoes(tested)),
    ...rulesFor('faults', faults, [ACKNOWLEDGES, ACKNOWLEDGES_EACH], (fault) => [
      rule(`${ACKNOWLEDGES}: ${fault.name}`, fault.make, (tested) => rules.acknowledges(tested, fault)),
      rule(`${ACKNOWLEDGES_EACH}: ${fault.name}`, fault.make, (tested) => rules.acknowledgesEach(tested)),
    ]),
    ...rulesFor('quota', quota && [quota], [DECLARED, PARALLEL], ({ octets, make }) => [
      rule(DECLARED, make, (tested) => rules.refusesDeclaredSize(tested, octets)),
      rule(PARALLEL, make, (tested) => rules.holdsQuota(tested, octets)),
    ]),
  ];
}

class Rules {
  readonly #contract: MessageDeliveryContract;

  constructor(contract: MessageDeliveryContract) {
    this.#contract = contract;
  }

  async keeps(tested: DeliveryUnderTest, lmtp: boolean): Promise<void> {
    const { recipients } = this.#contract;
    for (const body of [SMALL, LARGE, DOTS]) {
      const codes = await this.#send(tested, body, lmtp);
      assert.deepEqual(codes, [250, 250, 250]);
      for (const recipient of recipients) assert.equal(await timesKept(tested, recipient, body), 1);
    }
  }

  async keepsApart(tested: DeliveryUnderTest): Promise<void> {
    const { recipients } = this.#contract;
    const bodies = Array.from({ length: 10 }, (_, index) => message(`parallel ${index}`, 200 * index));
    const codes = await Promise.all(bodies.map((body) => this.#send(tested, body, false)));
    for (const [index, body] of bodies.entries()) {
      assert.deepEqual(codes[index], [250, 250, 250]);
      for (const recipient of recipients) assert.equal(await timesKept(tested, recipient, body), 1);
    }
  }

  async undoes(tested: DeliveryUnderTest): Promise<void> {
    const { recipients } = this.#contract;
    const session = await DeliverySession.open(tested.delivery, false);
    await session.breakOff(recipients, LARGE.subarray(0, LARGE.length / 2));
    await settle();
    for (const recipient of recipients) assert.equal((await tested.stored(recipient)).length, 0);
  }

  async acknowledges(tested: DeliveryUnderTest, { replyClass = 4 }: DeliveryFault): Promise<void> {
    const { recipients, isAtomic = false } = this.#contract;
    const codes = await this.#send(tested, SMALL, false);
    const kept = await Promise.all(recipients.map((recipient) => timesKept(tested, recipient, SMALL)));
    for (const [index, code] of codes.entries()) {
      if (code === 250)
        assert.ok((kept[index] ?? 0) > 0, `${String(recipients[index])} was acknowledged, and has no message`);
      // Undefined is a connection that broke: the client sends again.
      else if (code !== undefined) assert.equal(Math.floor(code / 100), replyClass);
    }
    if (isAtomic && codes.every((code) => code !== 250)) assert.deepEqual(kept, [0, 0, 0]);
  }

  async acknowledgesEach(tested: DeliveryUnderTest): Promise<void> {
    const { recipients } = this.#contract;
    const codes = await this.#send(tested, SMALL, true);
    for (const [index, recipient] of recipients.entries()) {
      const kept = await timesKept(tested, recipient, SMALL);
      if (codes[index] === 250) assert.ok(kept > 0, `${String(recipient)} was acknowledged, and has no message`);
    }
  }

  async refusesDeclaredSize(tested: DeliveryUnderTest, octets: number): Promise<void> {
    const session = await DeliverySession.open(tested.delivery, false);
    assert.deepEqual(await session.declare(this.#contract.recipients, octets + 1), [452, 452, 452]);
    await session.close();
  }

  async holdsQuota(tested: DeliveryUnderTest, octets: number): Promise<void> {
    const body = message('quota', Math.floor(octets / 3));
    const [recipient] = this.#contract.recipients;
    const codes = await Promise.all(
      Array.from({ length: 12 }, async () => {
        const session = await DeliverySession.open(tested.delivery, false);
        return await session.send([recipient], body);
      }),
    );
    const stored = await tested.stored(recipient);
    assert.equal(stored.length, codes.filter(([code]) => code === 250).length);
    const sum = stored.reduce((total, { length }) => total + length, 0);
    assert.ok(sum > 0 && sum <= octets, `${sum} octets in a mailbox of ${octets}`);
  }

  async #send(tested: DeliveryUnderTest, body: Uint8Array, lmtp: boolean): Promise<readonly (number | undefined)[]> {
    const session = await DeliverySession.open(tested.delivery, lmtp);
    return await session.send(this.#contract.recipients, body);
  }
}

function rule(
  name: string,
  make: () => MaybePromise<DeliveryUnderTest>,
  check: (tested: DeliveryUnderTest) => Promise<void>,
): ContractCase {
  const run = async (): Promise<void> => {
    const tested = await make();
    try {
      await check(tested);
    } finally {
      await tested.dispose?.();
    }
  };
  return { name, run };
}

/** The rules for each input; without one, their names as skipped rules. */
function rulesFor<T>(
  input: string,
  inputs: readonly T[] | undefined,
  names: readonly string[],
  rulesOf: (input: T) => readonly ContractCase[],
): readonly ContractCase[] {
  if (inputs !== undefined && inputs.length > 0) return inputs.flatMap(rulesOf);
  const skipped = `the contract was given no ${input}`;
  return names.map((name) => ({ name, skipped, run: () => Promise.reject(new Error(skipped)) }));
}

async function timesKept(tested: DeliveryUnderTest, recipient: Mailbox, body: Uint8Array): Promise<number> {
  const stored = await tested.stored(recipient);
  return stored.filter((octets) => Buffer.from(octets).subarray(-body.length).equals(body)).length;
}

/** A message whose subject is its own, and whose text has so many octets or a few more. */
function message(subject: string, octets: number): Buffer {
  const lines = `${'x'.repeat(70)}\r\n`.repeat(Math.ceil(octets / 72));
  return Buffer.from(`Subject: ${subject}\r\n\r\n${lines}`);
}

const ACKNOWLEDGES = 'says 250 only if each recipient has the message';
const ACKNOWLEDGES_EACH = 'has the message of each recipient for whom LMTP says 250';
const DECLARED = 'refuses a recipient for whom the declared SIZE is too large';
const PARALLEL = 'keeps to the quota with parallel messages';
const SMALL = message('small', 200);
const LARGE = message('large', 200_000);
const DOTS = Buffer.concat([message('dots', 0), Buffer.from('.\r\n..\r\n.x\r\n')]);
