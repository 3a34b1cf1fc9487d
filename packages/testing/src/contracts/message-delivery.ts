import assert from 'node:assert/strict';
import type { MaybePromise } from '@postern/cred';
import type { Mailbox, MessageDelivery } from '@postern/esmtp';
import { settle } from '../fake-clock.ts';
import { type ContractCase, skippedCase } from './case.ts';
import { DeliverySession } from './delivery-session.ts';

/** A delivery, and access to the messages that it has stored. */
export interface DeliveryUnderTest {
  readonly delivery: MessageDelivery;
  /** Returns the recipient's messages, each with the fields that the delivery put before it. */
  readonly stored: (recipient: Mailbox) => MaybePromise<readonly Uint8Array[]>;
  /** Removes what `make` created. */
  readonly dispose?: () => MaybePromise<void>;
}

/** A delivery with a fault. */
export interface DeliveryFault {
  /** The fault: `ENOSPC in the third call`. */
  readonly name: string;
  readonly make: () => MaybePromise<DeliveryUnderTest>;
  /** The class of the reply to a refused message. Default: 4. */
  readonly replyClass?: 4 | 5;
}

/** A delivery, and the inputs of its contract. A rule whose input is missing is skipped. */
export interface MessageDeliveryContract {
  /** Makes the delivery for each rule. */
  readonly make: () => MaybePromise<DeliveryUnderTest>;
  /** Three recipients that the delivery accepts. */
  readonly recipients: readonly [Mailbox, Mailbox, Mailbox];
  /** Deliveries with faults. Each step of the store should fail in one of them. */
  readonly faults?: readonly DeliveryFault[];
  /**
   * True if the delivery stores a message for all recipients or for none of them, where SMTP has
   * one reply. Default: false.
   */
  readonly isAtomic?: boolean;
  /** A delivery with empty mailboxes of at most `octets` octets each. */
  readonly quota?: { readonly octets: number; readonly make: () => MaybePromise<DeliveryUnderTest> };
}

/**
 * Returns the rules of every `MessageDelivery`: each acknowledged recipient has the message
 * (RFC 5321 §6.1). Each rule runs complete sessions of SMTP or LMTP over connections in memory.
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
    rule('stores each octet for each recipient before the 250', make, (tested) => rules.keeps(tested, false)),
    rule('stores each octet for each recipient before its LMTP reply', make, (tested) => rules.keeps(tested, true)),
    rule('keeps the messages of parallel clients apart', make, (tested) => rules.keepsApart(tested)),
    rule('stores nothing of a message that the client does not complete', make, (tested) => rules.undoes(tested)),
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
      // Undefined: the connection broke, and the client sends again.
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

/** Returns the rules for each input, or skipped rules if there is no input. */
function rulesFor<T>(
  input: string,
  inputs: readonly T[] | undefined,
  names: readonly string[],
  rulesOf: (input: T) => readonly ContractCase[],
): readonly ContractCase[] {
  if (inputs !== undefined && inputs.length > 0) return inputs.flatMap(rulesOf);
  const skipped = `the contract has no \`${input}\``;
  return names.map((name) => skippedCase(name, skipped));
}

async function timesKept(tested: DeliveryUnderTest, recipient: Mailbox, body: Uint8Array): Promise<number> {
  const stored = await tested.stored(recipient);
  return stored.filter((octets) => Buffer.from(octets).subarray(-body.length).equals(body)).length;
}

/** Returns a message with this subject and a text of at least `octets` octets. */
function message(subject: string, octets: number): Buffer {
  const lines = `${'x'.repeat(70)}\r\n`.repeat(Math.ceil(octets / 72));
  return Buffer.from(`Subject: ${subject}\r\n\r\n${lines}`);
}

const ACKNOWLEDGES = 'replies 250 only if each recipient has the message';
const ACKNOWLEDGES_EACH = 'stores the message of each recipient with the LMTP reply 250';
const DECLARED = 'refuses a recipient if the declared SIZE exceeds the quota';
const PARALLEL = 'holds the quota with parallel messages';
const SMALL = message('small', 200);
const LARGE = message('large', 200_000);
const DOTS = Buffer.concat([message('dots', 0), Buffer.from('.\r\n..\r\n.x\r\n')]);
