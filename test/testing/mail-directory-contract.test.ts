import { MailDirectory } from '@postern/dovecot-auth';
import { mailDirectoryContract } from '@postern/testing';
import { describe, expect, it } from 'vitest';
import { testContract } from '../support/contract.ts';

/** Each user owns the address with the user's name. `down` makes each question fail. */
class Site extends MailDirectory {
  isDown = false;
  readonly #user: string | undefined;

  constructor(user: string | undefined) {
    super();
    this.#user = user;
  }

  mayUseSender(sender: string): boolean {
    return this.#user !== undefined && this.ownersOf(sender).includes(this.#user);
  }

  hasRecipient(recipient: string): boolean | undefined {
    if (!fold(recipient).endsWith('@example.com')) return undefined;
    return this.ownersOf(recipient).length > 0;
  }

  ownersOf(sender: string): readonly string[] {
    if (this.isDown) throw new Error('down');
    return ['ann', 'bob'].filter((name) => fold(sender) === `${name}@example.com`);
  }
}

function fold(address: string): string {
  const at = address.lastIndexOf('@');
  return at === -1 ? address : address.slice(0, at) + address.slice(at).toLowerCase();
}

/** Returns the rules for sites of the class. */
function contractOf(Directory: typeof Site, fails = true) {
  return mailDirectoryContract({
    make: () => {
      const user = new Directory('ann');
      return {
        user,
        anonymous: new Directory(undefined),
        fail: () => {
          user.isDown = true;
        },
      };
    },
    username: 'ann',
    ownSender: 'ann@example.com',
    otherSender: 'bob@example.com',
    recipient: 'bob@example.com',
    unknownRecipient: 'nobody@example.com',
    foreignRecipient: 'ann@example.net',
    fails,
  });
}

async function brokenRules(Directory: typeof Site): Promise<readonly string[]> {
  const results = await Promise.allSettled(contractOf(Directory).map(({ run }) => run()));
  return contractOf(Directory)
    .filter((_, index) => results[index]?.status === 'rejected')
    .map(({ name }) => name);
}

describe('a directory that keeps the contract', () => {
  testContract(contractOf(Site));
});

describe('the contract of mail directories', () => {
  it.each([
    [
      'lets each user use any sender',
      class extends Site {
        override mayUseSender = () => true;
      },
      'lets a user send with an own address, and with no address of others',
    ],
    [
      'knows each recipient',
      class extends Site {
        override hasRecipient = () => true;
      },
      'returns true for a recipient that exists, and false for one that does not',
    ],
    [
      'decides about domains of others',
      class extends Site {
        override hasRecipient = (recipient: string) => super.hasRecipient(recipient) ?? false;
      },
      'leaves recipients at domains of others to the mail server',
    ],
    [
      'compares domains with regard to case',
      class extends Site {
        override ownersOf = (sender: string) => (fold(sender) === sender ? super.ownersOf(sender) : []);
      },
      'takes the domain without regard to case (RFC 5321 §2.4)',
    ],
    [
      'drops octets of an address',
      class extends Site {
        override ownersOf = (sender: string) => super.ownersOf(sender.replaceAll(/[<>\0]/g, ''));
      },
      'accepts no sender and no recipient that is no address',
    ],
    [
      'takes a failure for a refusal',
      class extends Site {
        override hasRecipient = (recipient: string) => !this.isDown && super.hasRecipient(recipient);
      },
      'fails, and refuses nothing, while its data cannot be read',
    ],
    [
      'names no owners',
      class extends Site {
        override ownersOf = () => [];
      },
      'names the users that may send with an address',
    ],
  ])('finds a directory that %s', async (_fault, Directory, rule) => {
    expect(await brokenRules(Directory)).toContain(rule);
  });

  it('skips the rule of failures without `fails`', () => {
    expect(contractOf(Site, false).filter(({ skipped }) => skipped !== undefined)).toHaveLength(1);
  });
});
