import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, unlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MaildirMailboxes } from '@postern/maildir';
import { mailboxContract } from '@postern/testing';
import { describe } from 'vitest';
import { testContract } from '../support/contract.ts';

describe('a Maildir as a mailbox', () => {
  testContract(mailboxContract({ make: (messages) => makeStore(messages, '\r\n'), isExclusive: true, changes: true }));
});

describe('a Maildir whose lines end in LF', () => {
  testContract(mailboxContract({ make: (messages) => makeStore(messages, '\n'), isExclusive: true, changes: true }));
});

function makeStore(messages: readonly Uint8Array[], lineEnding: string) {
  const root = mkdtempSync(join(tmpdir(), 'postern-mailbox-'));
  const folder = join(root, 'ann@example.com/new');
  mkdirSync(folder, { recursive: true });
  let count = 0;
  const stored = (message: Uint8Array): string => String(message).replaceAll('\r\n', lineEnding);
  const deliver = (message: Uint8Array): void => {
    count += 1;
    writeFileSync(join(folder, `${count}.host`), stored(message));
  };
  for (const message of messages) deliver(message);
  return {
    open: () => new MaildirMailboxes(root).open('ann@example.com'),
    deliver,
    remove: (message: Uint8Array): void => {
      for (const name of readdirSync(folder)) {
        if (readFileSync(join(folder, name), 'utf8') === stored(message)) unlinkSync(join(folder, name));
      }
    },
    dispose: () => rmSync(root, { recursive: true }),
  };
}
