import { InMemoryMailbox } from '@postern/pop3';
import { mailboxContract } from '@postern/testing';
import { describe } from 'vitest';
import { testContract } from '../support/contract.ts';

describe('an InMemoryMailbox', () => {
  const make = (messages: readonly Uint8Array[]) => {
    const mailbox = new InMemoryMailbox(messages);
    return { open: () => mailbox };
  };
  testContract(mailboxContract({ make }), [
    'admits one session at a time, and the next one after its end',
    'lists a message that arrives during a session in the next one',
    'rejects a message with MessageGone that another program has removed',
  ]);
});
