import {
  AllOfChecker,
  Anonymous,
  CascadingChecker,
  type Checker,
  Credentials,
  type Interface,
  PasswordProof,
  Portal,
  UnhandledCredentials,
  UsernamePassword,
  withDeadline,
} from '@postern/cred';
import { withThrottle } from '@postern/throttle';
import { describe, expect, it } from 'vitest';
import { joe, Mailbox, mailboxes } from './portal-support.ts';
import { mindOf } from './support.ts';

class Key extends Credentials {
  readonly username = 'joe';
}

/** A checker whose list of classes the test replaces. */
class LiveChecker implements Checker<Credentials> {
  credentialInterfaces: readonly Interface<Credentials>[];
  readonly #avatarId: string;

  constructor(credentialInterfaces: readonly Interface<Credentials>[], avatarId = 'joe') {
    this.credentialInterfaces = credentialInterfaces;
    this.#avatarId = avatarId;
  }

  requestAvatarId(): string {
    return this.#avatarId;
  }
}

const asIs = (checker: Checker<Credentials>): Checker<Credentials> => checker;
const both = new LiveChecker([UsernamePassword, Key]);

describe.each([
  ['a checker', asIs],
  ['CascadingChecker', (checker: Checker<Credentials>) => CascadingChecker.of(checker)],
  ['AllOfChecker', (checker: Checker<Credentials>) => AllOfChecker.of(checker, both)],
  ['withDeadline', (checker: Checker<Credentials>) => withDeadline(checker, 1_000)],
  ['withThrottle', (checker: Checker<Credentials>) => withThrottle(checker)],
  [
    'all of them together',
    (checker: Checker<Credentials>) =>
      withThrottle(CascadingChecker.of(AllOfChecker.of(withDeadline(checker, 1_000), both))),
  ],
] as const)('the classes of credentials of %s', (_name, wrap) => {
  it('change with the list of the checker, and so do the logins of the portal', async () => {
    const checker = new LiveChecker([UsernamePassword]);
    const wrapped = wrap(checker);
    const portal = new Portal(mailboxes()).register(wrapped);
    expect(wrapped.credentialInterfaces).toEqual([UsernamePassword]);
    await expect(portal.login(new Key(), mindOf(), Mailbox)).rejects.toBeInstanceOf(UnhandledCredentials);

    checker.credentialInterfaces = [UsernamePassword, Key];
    expect(wrapped.credentialInterfaces).toEqual([UsernamePassword, Key]);
    expect(portal.credentialInterfaces).toEqual([UsernamePassword, Key]);
    expect(portal.handles(Key)).toBe(true);
    expect((await portal.login(new Key(), mindOf(), Mailbox)).avatarId).toBe('joe');

    checker.credentialInterfaces = [Key];
    expect(portal.handles(UsernamePassword)).toBe(false);
    await expect(portal.login(joe(), mindOf(), Mailbox)).rejects.toBeInstanceOf(UnhandledCredentials);
  });

  it('are the same array while the list is unchanged', () => {
    const wrapped = wrap(new LiveChecker([UsernamePassword, Key]));
    expect(wrapped.credentialInterfaces).toBe(wrapped.credentialInterfaces);
  });

  it('may become none, and come back', () => {
    const checker = new LiveChecker([UsernamePassword]);
    const portal = new Portal(mailboxes()).register(wrap(checker));
    checker.credentialInterfaces = [];
    expect(portal.credentialInterfaces).toEqual([]);
    expect(portal.handles(UsernamePassword)).toBe(false);
    checker.credentialInterfaces = [UsernamePassword];
    expect(portal.handles(UsernamePassword)).toBe(true);
  });
});

describe('a class of credentials', () => {
  it('stays with the checker that has it when another checker names it later', async () => {
    const early = new LiveChecker([UsernamePassword], 'early');
    const late = new LiveChecker([Key], 'late');
    const portal = new Portal(mailboxes()).register(early).register(late);
    early.credentialInterfaces = [UsernamePassword, Key];
    expect((await portal.login(new Key(), mindOf(), Mailbox)).avatarId).toBe('late');
    late.credentialInterfaces = [Anonymous];
    expect((await portal.login(new Key(), mindOf(), Mailbox)).avatarId).toBe('early');
    late.credentialInterfaces = [Key];
    expect((await portal.login(new Key(), mindOf(), Mailbox)).avatarId).toBe('early');
  });

  it('that a checker names by now prevents the registration of a second checker', () => {
    const early = new LiveChecker([UsernamePassword]);
    const portal = new Portal(mailboxes()).register(early);
    early.credentialInterfaces = [UsernamePassword, Key];
    expect(() => portal.register(new LiveChecker([Key]))).toThrow(/CascadingChecker/);
  });

  it('given at the registration is routed only while the checker judges it', () => {
    const checker = new LiveChecker([PasswordProof]);
    const portal = new Portal(mailboxes()).register(checker, UsernamePassword);
    checker.credentialInterfaces = [PasswordProof, Key];
    expect(portal.credentialInterfaces).toEqual([UsernamePassword]);
    checker.credentialInterfaces = [Key];
    expect(portal.credentialInterfaces).toEqual([]);
    checker.credentialInterfaces = [UsernamePassword];
    expect(portal.credentialInterfaces).toEqual([UsernamePassword]);
  });
});
