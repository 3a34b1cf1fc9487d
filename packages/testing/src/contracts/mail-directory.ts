import assert from 'node:assert/strict';
import type { MaybePromise } from '@postern/core';
import type { MailDirectory } from '@postern/dovecot-auth';
import { type ContractCase, skippedCase } from './case.ts';
import { HOSTILE_TEXTS } from './hostile-texts.ts';

/** The directories of one site, as the realm's factory returns them at a login. */
export interface MailDirectoryUnderTest {
  /** The directory of the user that the contract names. */
  readonly user: MailDirectory;
  /** The directory of a client without a name (`Anonymous`). */
  readonly anonymous: MailDirectory;
  /** Makes all later questions fail, as a database that is down does. */
  readonly fail?: () => MaybePromise<void>;
  /** Removes what `make` created. */
  readonly dispose?: () => MaybePromise<void>;
}

/** A mail directory, and the inputs of its contract. A missing input skips its rules. */
export interface MailDirectoryContract {
  /** Makes the directories anew for each rule. */
  readonly make: () => MaybePromise<MailDirectoryUnderTest>;
  /** The login name of the user. */
  readonly username: string;
  /** An address that the user may send with, and whose local part differs from its domain. */
  readonly ownSender: string;
  /** An address that another user may send with, and this user may not. */
  readonly otherSender: string;
  /** A recipient that exists. */
  readonly recipient: string;
  /** An address at a domain of the site that does not exist. */
  readonly unknownRecipient: string;
  /** An address at a domain of others. Absent for a site that decides about each address. */
  readonly foreignRecipient?: string;
  /** True if `make` returns a `fail`. Default: false. */
  readonly fails?: boolean;
}

/**
 * Returns the rules of every `MailDirectory` of `@postern/dovecot-auth`: senders, owners and
 * recipients that agree, for addresses of any kind, and failures that are no refusals.
 *
 * @example
 * ```ts
 * import type { MailDirectory } from '@postern/dovecot-auth';
 * import { mailDirectoryContract } from '@postern/testing';
 * import { it } from 'vitest';
 *
 * declare const directoryOf: (username: string | undefined) => MailDirectory;
 * const contract = mailDirectoryContract({
 *   make: () => ({ user: directoryOf('ann'), anonymous: directoryOf(undefined) }),
 *   username: 'ann',
 *   ownSender: 'ann@example.com',
 *   otherSender: 'bob@example.com',
 *   recipient: 'ann@example.com',
 *   unknownRecipient: 'nobody@example.com',
 *   foreignRecipient: 'joe@example.net',
 * });
 * for (const { name, run, skipped } of contract) it.skipIf(skipped !== undefined)(name, run);
 * ```
 */
export function mailDirectoryContract(contract: MailDirectoryContract): readonly ContractCase[] {
  const { foreignRecipient, fails = false } = contract;
  const rule = (name: string, check: Check): ContractCase => ({ name, run: () => runRule(contract, check) });
  return [
    rule('lets a user send with an own address, and with no address of others', checkSenders),
    rule('lets a client without a name use no address of a user', checkAnonymous),
    rule('names the users that may send with an address', checkOwners),
    rule('returns true for a recipient that exists, and false for one that does not', checkRecipients),
    rule('takes the domain without regard to case (RFC 5321 §2.4)', checkCase),
    rule('answers the same for a user and for a client without a name, about recipients and owners', checkAgreement),
    rule('accepts no sender and no recipient that is no address', checkGarbage),
    foreignRecipient === undefined
      ? skippedCase(DECIDES, 'the contract has no `foreignRecipient`')
      : rule(DECIDES, ({ user }) => checkForeign(user, foreignRecipient)),
    fails ? rule(FAILS, checkFailure) : skippedCase(FAILS, 'the contract has no `fails`'),
  ];
}

type Check = (site: MailDirectoryUnderTest, contract: MailDirectoryContract) => Promise<void>;

async function runRule(contract: MailDirectoryContract, check: Check): Promise<void> {
  const site = await contract.make();
  try {
    await check(site, contract);
  } finally {
    await site.dispose?.();
  }
}

const checkSenders: Check = async ({ user }, { ownSender, otherSender }) => {
  assert.equal(await user.mayUseSender(ownSender), true);
  assert.equal(await user.mayUseSender(otherSender), false);
};

const checkAnonymous: Check = async ({ anonymous }, { ownSender, otherSender }) => {
  assert.equal(await anonymous.mayUseSender(ownSender), false);
  assert.equal(await anonymous.mayUseSender(otherSender), false);
};

/** Postfix compares the names with the login without regard to case. */
const checkOwners: Check = async ({ anonymous }, { username, ownSender, otherSender, unknownRecipient }) => {
  const ownersOf = async (sender: string) => (await anonymous.ownersOf(sender)).map((name) => name.toLowerCase());
  assert.ok((await ownersOf(ownSender)).includes(username.toLowerCase()), `${username} does not own ${ownSender}`);
  const others = await ownersOf(otherSender);
  assert.ok(others.length > 0, `${otherSender} has no owner`);
  assert.ok(!others.includes(username.toLowerCase()), `${username} owns ${otherSender}`);
  assert.ok(!(await ownersOf(unknownRecipient)).includes(username.toLowerCase()));
  assert.deepEqual(await ownersOf(''), []);
};

const checkRecipients: Check = async ({ anonymous }, { recipient, unknownRecipient }) => {
  assert.equal(await anonymous.hasRecipient(recipient), true);
  assert.equal(await anonymous.hasRecipient(unknownRecipient), false);
};

const checkCase: Check = async ({ user }, { username, ownSender, otherSender, recipient, unknownRecipient }) => {
  assert.equal(await user.mayUseSender(withUpperDomain(ownSender)), true);
  assert.equal(await user.mayUseSender(withUpperDomain(otherSender)), false);
  assert.equal(await user.hasRecipient(withUpperDomain(recipient)), true);
  assert.equal(await user.hasRecipient(withUpperDomain(unknownRecipient)), false);
  const owners = await user.ownersOf(withUpperDomain(ownSender));
  assert.ok(owners.some((name) => name.toLowerCase() === username.toLowerCase()));
};

const checkAgreement: Check = async ({ user, anonymous }, contract) => {
  for (const address of [contract.ownSender, contract.otherSender, contract.recipient, contract.unknownRecipient]) {
    assert.equal(await user.hasRecipient(address), await anonymous.hasRecipient(address), address);
    assert.deepEqual([...(await user.ownersOf(address))].sort(), [...(await anonymous.ownersOf(address))].sort());
  }
};

/** Each directory decides about the null sender. */
const checkGarbage: Check = async ({ user }, { ownSender, recipient }) => {
  const garbage = [...HOSTILE_TEXTS, `${ownSender},`, `${ownSender}\0`, ` ${ownSender}`, `<${ownSender}>`];
  for (const text of garbage) {
    assert.equal(await user.mayUseSender(text), false, `the user may use ${JSON.stringify(text)}`);
    assert.deepEqual(await user.ownersOf(text), [], `${JSON.stringify(text)} has an owner`);
  }
  for (const text of [...HOSTILE_TEXTS, `${recipient}\0`, `<${recipient}>`, '']) {
    assert.notEqual(await user.hasRecipient(text), true, `${JSON.stringify(text)} exists`);
  }
  assert.equal(typeof (await user.mayUseSender('')), 'boolean');
};

async function checkForeign(directory: MailDirectory, recipient: string): Promise<void> {
  assert.equal(await directory.hasRecipient(recipient), undefined);
}

/** A question whose data is in memory has its answer. */
const checkFailure: Check = async ({ user, fail }, { ownSender, recipient }) => {
  const ask = () =>
    Promise.allSettled([
      (async () => await user.mayUseSender(ownSender))(),
      (async () => await user.hasRecipient(recipient))(),
      (async () => await user.ownersOf(ownSender))(),
    ]);
  const before = await ask();
  await fail?.();
  const during = await ask();
  for (const [index, result] of during.entries()) {
    if (result.status === 'fulfilled') assert.deepEqual(result, before[index]);
  }
  assert.ok(
    during.some(({ status }) => status === 'rejected'),
    'no question has failed',
  );
};

function withUpperDomain(address: string): string {
  const at = address.lastIndexOf('@');
  return address.slice(0, at) + address.slice(at).toUpperCase();
}

const DECIDES = 'leaves recipients at domains of others to the mail server';
const FAILS = 'fails, and refuses nothing, while its data cannot be read';
