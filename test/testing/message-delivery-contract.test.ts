import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import * as promises from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Conversation } from '@postern/conversation';
import { AnonymousChecker, AvatarRealm, Portal } from '@postern/cred';
import {
  type Envelope,
  esmtp,
  type ForwardPath,
  Mailbox,
  type Message,
  MessageDelivery,
  PerRecipientDelivery,
  type RecipientResult,
  Rejection,
  type ReportResult,
} from '@postern/esmtp';
import { type FileSystem, MaildirDelivery, type MaildirOptions } from '@postern/maildir';
import { RelayDelivery, Smarthost } from '@postern/relay';
import {
  type ContractCase,
  type DeliveryFault,
  type DeliveryUnderTest,
  type MessageDeliveryContract,
  memoryPipe,
  messageDeliveryContract,
  settle,
} from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { resultsOf } from '../support/results.ts';

const recipients = ['ann', 'bob', 'cyd'].map((name) => new Mailbox(name, 'example.com')) as unknown as readonly [
  Mailbox,
  Mailbox,
  Mailbox,
];
const QUOTA = 5_000;
const NO_QUOTA = [
  'refuses a recipient if the declared SIZE exceeds the quota',
  'holds the quota with parallel messages',
];

describe.each<readonly [string, MessageDeliveryContract, skipped: readonly string[]]>([
  [
    'MaildirDelivery',
    {
      make: maildirs,
      recipients,
      isAtomic: true,
      faults: fileFaults(maildirs),
      quota: { octets: QUOTA, make: () => maildirs({ quota: QUOTA }) },
    },
    [],
  ],
  [
    'PerRecipientDelivery',
    {
      make: eachInItsMaildir,
      recipients,
      faults: [...fileFaults(eachInItsMaildir), ...memoryFaults(perRecipientInMemory)],
      quota: { octets: QUOTA, make: () => eachInItsMaildir({ quota: QUOTA }) },
    },
    [],
  ],
  ['RelayDelivery', { make: () => relay(), recipients, faults: relayFaults() }, NO_QUOTA],
  ['a delivery in memory', { make: () => inMemory(), recipients, faults: memoryFaults(inMemory) }, NO_QUOTA],
])('the message delivery contract holds for %s', (_title, contract, skipped) => {
  const cases = messageDeliveryContract(contract);

  it('skips only the rules without an input', () => {
    expect(cases.filter((rule) => rule.skipped !== undefined).map(({ name }) => name)).toEqual(skipped);
  });

  for (const { name, run, skipped: reason } of cases) if (reason === undefined) it(name, run);
});

describe('the message delivery contract finds', () => {
  it.each<readonly [string, () => DeliveryUnderTest, string]>([
    [
      'a delivery that loses a recipient',
      () => inMemory(undefined, { loses: true }),
      'stores each octet for each recipient',
    ],
    [
      'a delivery that stores incomplete messages',
      () => inMemory(undefined, { keepsAborted: true }),
      'stores nothing of',
    ],
  ])('%s', async (_title, make, rule) => {
    const broken = await brokenRules(messageDeliveryContract({ make, recipients }));
    expect(broken.join('\n')).toContain(rule);
  });

  it('an acknowledged message that was lost', async () => {
    const faults: readonly DeliveryFault[] = [
      { name: 'one is lost', make: () => inMemory(undefined, { loses: true }) },
    ];
    const broken = await brokenRules(messageDeliveryContract({ make: () => inMemory(), recipients, faults }));
    expect(broken).toContain('replies 250 only if each recipient has the message: one is lost');
  });

  it('no pass in a skipped rule', async () => {
    const cases = messageDeliveryContract({ make: () => inMemory(), recipients });
    const skipped = cases.filter((rule) => rule.skipped !== undefined);
    expect(skipped).toHaveLength(4);
    for (const { run } of skipped) await expect(run()).rejects.toThrow('the contract has no');
  });
});

async function brokenRules(cases: readonly ContractCase[]): Promise<readonly string[]> {
  const broken: string[] = [];
  for (const { name, run, skipped } of cases) if (skipped === undefined) await run().catch(() => broken.push(name));
  return broken;
}

type MakeMaildirs = (options?: MaildirOptions) => DeliveryUnderTest;

function maildirs(options: MaildirOptions = {}): DeliveryUnderTest {
  const root = mkdtempSync(join(tmpdir(), 'postern-contract-'));
  const delivery = new MaildirDelivery(root, { onError: () => {}, ...options });
  return {
    delivery,
    stored: (recipient) => {
      const folder = join(root, String(recipient), 'new');
      return list(folder).map((name) => readFileSync(join(folder, name)));
    },
    dispose: () => rmSync(root, { recursive: true }),
  };
}

function eachInItsMaildir(options: MaildirOptions = {}): DeliveryUnderTest {
  const under = maildirs(options);
  return { ...under, delivery: new PerRecipientDelivery(() => under.delivery, { onError: () => {} }) };
}

/** Returns faults in the first three calls of each kind that a delivery into Maildirs makes. */
function fileFaults(make: MakeMaildirs): readonly DeliveryFault[] {
  const faults: DeliveryFault[] = [];
  for (const code of ['EMFILE', 'ENOSPC', 'EIO']) {
    for (const call of ['mkdir', 'open', 'write', 'sync', 'link', 'rename'] as const) {
      for (const nth of [1, 2, 3]) {
        faults.push({ name: `${code} in ${call} ${nth}`, make: () => make({ files: failing(call, nth, code) }) });
      }
    }
    faults.push({ name: `${code} in every sync of a folder`, make: () => make({ files: withoutFolderSync(code) }) });
  }
  return faults;
}

type Call = 'mkdir' | 'open' | 'write' | 'sync' | 'link' | 'rename';

/** Returns the file system with errors from the nth call of a kind on. */
function failing(call: Call, nth: number, code: string): FileSystem {
  let calls = 0;
  const guarded = <A extends unknown[], R>(kind: Call, work: (...args: A) => Promise<R>) => {
    return async (...args: A): Promise<R> => {
      if (kind === call && ++calls >= nth) throw Object.assign(new Error('fault'), { code });
      return await work(...args);
    };
  };
  const open = guarded('open', async (...args: Parameters<typeof promises.open>) => {
    const handle = await promises.open(...args);
    handle.write = guarded('write', handle.write.bind(handle) as never) as never;
    handle.sync = guarded('sync', () => Promise.resolve());
    return handle;
  }) as FileSystem['open'];
  return {
    ...promises,
    open,
    mkdir: guarded('mkdir', promises.mkdir as never) as FileSystem['mkdir'],
    link: guarded('link', promises.link),
    rename: guarded('rename', promises.rename),
  };
}

function withoutFolderSync(code: string): FileSystem {
  const open = (async (...args: Parameters<typeof promises.open>) => {
    if (String(args[0]).endsWith('/new')) throw Object.assign(new Error('fault'), { code });
    return await promises.open(...args);
  }) as FileSystem['open'];
  return { ...promises, open };
}

interface Flaws {
  /** Loses the message of the last recipient and acknowledges it. */
  readonly loses?: boolean;
  readonly keepsAborted?: boolean;
}

/** Returns the result of one recipient, counted from 0, or throws. */
type Judge = (recipient: number, step: 'open' | 'write' | 'end') => RecipientResult;

function inMemory(judge: Judge = () => undefined, flaws: Flaws = {}): DeliveryUnderTest {
  const delivery = new MemoryDelivery(judge, flaws);
  return { delivery, stored: (recipient) => delivery.messages.get(String(recipient)) ?? [] };
}

class MemoryDelivery extends MessageDelivery {
  readonly messages = new Map<string, Buffer[]>();
  readonly #judge: Judge;
  readonly #flaws: Flaws;

  constructor(judge: Judge, flaws: Flaws) {
    super();
    this.#judge = judge;
    this.#flaws = flaws;
  }

  validateFrom(): void {}

  validateTo(): void {}

  openMessage({ recipients: all }: Envelope): Message {
    const chunks: Buffer[] = [];
    const check = (step: 'open' | 'write'): void => {
      const failure = all.map((recipient) => this.#judge(indexOf(recipient.forwardPath), step)).find((reply) => reply);
      if (failure !== undefined) throw new Rejection(failure.code, failure.enhanced ?? '', ...failure.lines);
    };
    const keep = (address: string): void => {
      this.messages.set(address, [...(this.messages.get(address) ?? []), Buffer.concat(chunks)]);
    };
    check('open');
    return {
      write: (chunk) => {
        check('write');
        chunks.push(Buffer.from(chunk));
      },
      end: (tell?: ReportResult) =>
        all.map(({ forwardPath }, index) => {
          const result = this.#judge(indexOf(forwardPath), 'end');
          const isLost = this.#flaws.loses && forwardPath.localPart === 'cyd';
          if (result === undefined && !isLost) keep(String(forwardPath));
          tell?.(index, result);
          return result;
        }),
      abort: () => {
        if (this.#flaws.keepsAborted) for (const { forwardPath } of all) keep(String(forwardPath));
      },
    };
  }
}

function indexOf({ localPart }: ForwardPath): number {
  return recipients.findIndex((recipient) => recipient.localPart === localPart);
}

const LATER = new Rejection(452, '4.3.1', 'No room').reply;
const NEVER = new Rejection(552, '5.2.2', 'Over quota').reply;

/** Returns temporary and permanent failures of each step and recipient. */
function memoryFaults(make: (judge: Judge) => DeliveryUnderTest): readonly DeliveryFault[] {
  const failsIn = (step: string, failing: number, reply: RecipientResult): Judge => {
    return (recipient, now) => (recipient === failing && now === step ? reply : undefined);
  };
  const single = (['open', 'write', 'end'] as const).flatMap((step) =>
    [0, 1, 2].flatMap((failing): readonly DeliveryFault[] => [
      { name: `${step} fails for now for ${failing}`, make: () => make(failsIn(step, failing, LATER)) },
      { name: `${step} fails for good for ${failing}`, make: () => make(failsIn(step, failing, NEVER)), replyClass: 5 },
    ]),
  );
  const both: Judge = (recipient, step) =>
    failsIn('end', 0, NEVER)(recipient, step) ?? failsIn('end', 2, LATER)(recipient, step);
  return [...single, { name: 'the end fails for good for 0, and for now for 2', make: () => make(both) }];
}

function perRecipientInMemory(judge: Judge): DeliveryUnderTest {
  const under = inMemory(judge);
  return { ...under, delivery: new PerRecipientDelivery(() => under.delivery, { onError: () => {} }) };
}

/** Returns a relay to an LMTP server in memory that can break after some of its replies. */
function relay(judge?: Judge, repliesBeforeBreak?: number): DeliveryUnderTest {
  const store = inMemory(judge);
  const smarthost = new Smarthost({
    endpoint: { host: 'store.example.com', port: 24 },
    hostname: 'relay.example.com',
    tls: 'none',
    lmtp: true,
    onError: () => {},
    connect: async () => {
      const { client, server } = memoryPipe();
      const realm = new AvatarRealm().provide(MessageDelivery, () =>
        repliesBeforeBreak === undefined
          ? store.delivery
          : new BreakingDelivery(store.delivery, repliesBeforeBreak, () => server.destroy()),
      );
      const portal = new Portal(realm).register(new AnonymousChecker());
      const protocol = esmtp({ hostname: 'store.example.com', portal, service: 'lmtp', onEvent: () => {} });
      void protocol(new Conversation(server)).finally(() => server.destroy());
      return client;
    },
  });
  return { delivery: new RelayDelivery(smarthost), stored: store.stored, dispose: () => smarthost.close() };
}

/** Reports the result of some recipients, and breaks the connection after these replies. */
class BreakingDelivery extends MessageDelivery {
  readonly #delivery: MessageDelivery;
  readonly #replies: number;
  readonly #break: () => void;

  constructor(delivery: MessageDelivery, replies: number, breakConnection: () => void) {
    super();
    this.#delivery = delivery;
    this.#replies = replies;
    this.#break = breakConnection;
  }

  validateFrom(): void {}

  validateTo(): void {}

  async openMessage(envelope: Envelope): Promise<Message> {
    const message = await this.#delivery.openMessage(envelope);
    const end = async (tell?: ReportResult): Promise<void | readonly RecipientResult[]> => {
      const results = resultsOf(await message.end());
      for (const [index, result] of results.slice(0, this.#replies).entries()) tell?.(index, result);
      await settle();
      this.#break();
      return results;
    };
    return { write: (chunk) => message.write(chunk), end, abort: (reason) => message.abort(reason) };
  }
}

function relayFaults(): readonly DeliveryFault[] {
  const breaks = [0, 1, 2, 3].map((replies): DeliveryFault => {
    return { name: `the store dies after ${replies} of 3 replies`, make: () => relay(undefined, replies) };
  });
  return [...breaks, ...memoryFaults(relay)];
}

function list(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
