import assert from 'node:assert/strict';
import type { MaybePromise } from '@postern/core';
import { type Mailbox, MailboxInUse, MessageGone } from '@postern/pop3';
import { type ContractCase, skippedCase } from './case.ts';

/** A store of messages for one user, and access to it without POP3. */
export interface MailboxUnderTest {
  /** Opens the user's mailbox, as a realm's factory does at a login. */
  readonly open: () => MaybePromise<Mailbox>;
  /**
   * Stores one more message, as another program does. Each line of it ends in CRLF. Without it the
   * rules of a changing store are skipped.
   */
  readonly deliver?: (message: Uint8Array) => MaybePromise<void>;
  /** Removes the message with this content, as another program does. */
  readonly remove?: (message: Uint8Array) => MaybePromise<void>;
  /** Removes what `make` created. */
  readonly dispose?: () => MaybePromise<void>;
}

/** A store of messages, and the inputs of its contract. A missing input skips its rules. */
export interface MailboxContract {
  /** Makes a store with these messages, in the order of their arrival, for each rule. */
  readonly make: (messages: readonly Uint8Array[]) => MaybePromise<MailboxUnderTest>;
  /** True if a second session must wait for the end of the first one. Default: false. */
  readonly isExclusive?: boolean;
  /** True if `make` returns a `deliver` and a `remove`. Default: false. */
  readonly changes?: boolean;
}

/**
 * Returns the rules of every `Mailbox` of `@postern/pop3` (RFC 1939): numbers, sizes and unique ids
 * that hold, and deletions that remove exactly the messages that the client named.
 *
 * @example
 * ```ts
 * import { InMemoryMailbox } from '@postern/pop3';
 * import { mailboxContract } from '@postern/testing';
 * import { it } from 'vitest';
 *
 * const make = (messages: readonly Uint8Array[]) => {
 *   const mailbox = new InMemoryMailbox(messages);
 *   return { open: () => mailbox };
 * };
 * for (const { name, run, skipped } of mailboxContract({ make })) {
 *   it.skipIf(skipped !== undefined)(name, run);
 * }
 * ```
 */
export function mailboxContract(contract: MailboxContract): readonly ContractCase[] {
  const { make, isExclusive = false, changes = false } = contract;
  return [
    rule('lists the messages with the octets that it sends', make, listsWhatItSends),
    rule('is empty without messages', make, isEmpty),
    rule('gives each message a unique id of RFC 1939 §7, also two equal ones', make, givesUniqueIds),
    rule('keeps the unique ids from session to session', make, keepsIds),
    rule('sends a message whole after an earlier reader has stopped', make, sendsAgain),
    rule('removes the deleted messages, and no others', make, removesDeleted),
    rule('removes nothing without an update', make, removesNothing),
    rule('rejects a removed message with MessageGone', make, rejectsRemoved),
    isExclusive ? rule(EXCLUDES, make, excludesOthers) : skippedCase(EXCLUDES, 'the contract has no `isExclusive`'),
    ...Object.entries(CHANGES).map(([name, check]) =>
      changes ? rule(name, make, check) : skippedCase(name, 'the contract has no `changes`'),
    ),
  ];
}

function rule(
  name: string,
  make: MailboxContract['make'],
  check: (store: MailboxUnderTest) => Promise<void>,
): ContractCase {
  const run = async (): Promise<void> => {
    const store = await make(name.includes('without messages') ? [] : MESSAGES);
    try {
      await check(store);
    } finally {
      await store.dispose?.();
    }
  };
  return { name, run };
}

async function listsWhatItSends(store: MailboxUnderTest): Promise<void> {
  await withMailbox(store, async (mailbox) => {
    assert.deepEqual(await textsOf(mailbox), MESSAGES.map(String));
    assert.deepEqual(
      mailbox.messages.map(({ octets }) => octets),
      MESSAGES.map(({ length }) => length),
    );
  });
}

async function isEmpty(store: MailboxUnderTest): Promise<void> {
  await withMailbox(store, async (mailbox) => {
    assert.equal(mailbox.messages.length, 0);
    await mailbox.update([], []);
  });
}

async function givesUniqueIds(store: MailboxUnderTest): Promise<void> {
  const ids = await idsOf(store);
  assert.equal(new Set(ids).size, MESSAGES.length);
  for (const id of ids) assert.match(id, /^[!-~]{1,70}$/);
  // getmail reads `/` as `-`.
  assert.ok(!/\/.*-|-.*\//.test(ids.join('')), 'the ids hold both / and -');
}

async function keepsIds(store: MailboxUnderTest): Promise<void> {
  const before = await idsOf(store);
  assert.deepEqual(await idsOf(store), before);
  await withMailbox(store, (mailbox) => mailbox.update([1], [0, 1, 2]));
  assert.deepEqual(
    (await idsOf(store)).filter((id) => id !== before[1]),
    before.filter((_, index) => index !== 1),
  );
}

async function sendsAgain(store: MailboxUnderTest): Promise<void> {
  await withMailbox(store, async (mailbox) => {
    const content = await mailbox.open(LARGE_INDEX);
    assert.notEqual(await content.read(), undefined);
    await content.close();
    assert.equal(await textOf(mailbox, LARGE_INDEX), String(MESSAGES[LARGE_INDEX]));
  });
}

async function removesDeleted(store: MailboxUnderTest): Promise<void> {
  await withMailbox(store, (mailbox) => mailbox.update([0, 2], [1]));
  await withMailbox(store, async (mailbox) => {
    const texts = await Promise.all(mailbox.messages.map((_, index) => textOf(mailbox, index).catch(undefinedIfGone)));
    assert.deepEqual(
      texts.filter((text) => text !== undefined),
      MESSAGES.filter((_, index) => index !== 0 && index !== 2).map(String),
    );
  });
}

async function removesNothing(store: MailboxUnderTest): Promise<void> {
  await withMailbox(store, async (mailbox) => void (await textOf(mailbox, 0)));
  await withMailbox(store, async (mailbox) => {
    assert.deepEqual(await textsOf(mailbox), MESSAGES.map(String));
  });
}

async function rejectsRemoved(store: MailboxUnderTest): Promise<void> {
  await withMailbox(store, async (mailbox) => {
    await mailbox.update([1], []);
    await assert.rejects(async () => await mailbox.open(1), MessageGone);
    assert.equal(await textOf(mailbox, 0), String(MESSAGES[0]));
  });
}

async function excludesOthers(store: MailboxUnderTest): Promise<void> {
  await withMailbox(store, async () => {
    await assert.rejects(async () => await store.open(), MailboxInUse);
  });
  const opened = await Promise.allSettled(Array.from({ length: 8 }, async () => await store.open()));
  const mailboxes = opened.filter((result) => result.status === 'fulfilled').map(({ value }) => value);
  for (const mailbox of mailboxes) await disposeOf(mailbox);
  assert.equal(mailboxes.length, 1, `${mailboxes.length} sessions have the mailbox`);
  for (const result of opened) if (result.status === 'rejected') assert.ok(result.reason instanceof MailboxInUse);
  await withMailbox(store, async () => {});
}

async function withMailbox(store: MailboxUnderTest, use: (mailbox: Mailbox) => MaybePromise<void>): Promise<void> {
  const mailbox = await store.open();
  try {
    await use(mailbox);
  } finally {
    await disposeOf(mailbox);
  }
}

/** Logs out as a realm does. */
async function disposeOf(mailbox: Mailbox): Promise<void> {
  const disposable = mailbox as Mailbox & Partial<AsyncDisposable & Disposable>;
  await disposable[Symbol.asyncDispose]?.();
  disposable[Symbol.dispose]?.();
}

async function idsOf(store: MailboxUnderTest): Promise<readonly string[]> {
  let ids: readonly string[] = [];
  await withMailbox(store, (mailbox) => {
    ids = mailbox.messages.map(({ uid }) => uid);
  });
  return ids;
}

async function textsOf(mailbox: Mailbox): Promise<readonly string[]> {
  return await Promise.all(mailbox.messages.map((_, index) => textOf(mailbox, index)));
}

async function textOf(mailbox: Mailbox, index: number): Promise<string> {
  const content = await mailbox.open(index);
  const chunks: Buffer[] = [];
  try {
    for (let chunk = await content.read(); chunk !== undefined; chunk = await content.read()) {
      assert.ok(chunk.length > 0, 'a chunk is empty');
      chunks.push(Buffer.from(chunk));
    }
  } finally {
    await content.close();
  }
  return String(Buffer.concat(chunks));
}

/** A store in memory may list a removed message as long as its object lives. */
function undefinedIfGone(error: unknown): undefined {
  if (!(error instanceof MessageGone)) throw error;
}

const EXCLUDES = 'admits one session at a time, and the next one after its end';
const MESSAGES: readonly Uint8Array[] = [
  'Subject: one\r\n\r\nbody\r\n',
  'Subject: equal\r\n\r\n.\r\n..\r\n',
  'Subject: equal\r\n\r\n.\r\n..\r\n',
  `Subject: large\r\n\r\n${`${'x'.repeat(70)}\r\n`.repeat(3_000)}`,
  'no empty line\r\n',
].map((text) => Buffer.from(text));
const LARGE_INDEX = 3;
const LATER = Buffer.from('Subject: later\r\n\r\nbody\r\n');

/** The rules of a store that other programs change. */
const CHANGES: Readonly<Record<string, (store: MailboxUnderTest) => Promise<void>>> = {
  'lists a message that arrives during a session in the next one': async (store) => {
    await withMailbox(store, async (mailbox) => {
      await store.deliver?.(LATER);
      assert.deepEqual(await textsOf(mailbox), MESSAGES.map(String));
    });
    await withMailbox(store, async (mailbox) => {
      assert.deepEqual(await textsOf(mailbox), [...MESSAGES, LATER].map(String));
    });
  },
  'rejects a message with MessageGone that another program has removed': async (store) => {
    await withMailbox(store, async (mailbox) => {
      await store.remove?.(MESSAGES[0] as Uint8Array);
      assert.equal(mailbox.messages.length, MESSAGES.length);
      await assert.rejects(async () => await mailbox.open(0), MessageGone);
      // A deletion of this message has its result already.
      await mailbox.update([0, 1], []);
    });
    await withMailbox(store, async (mailbox) => {
      assert.deepEqual(await textsOf(mailbox), MESSAGES.slice(2).map(String));
    });
  },
};
