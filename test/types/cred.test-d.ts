// Uses that must compile, and uses that must not. No test runs this file.
import type { MaybePromise } from '@postern/core';
import {
  AllOfChecker,
  type Anonymous,
  AnonymousChecker,
  type AnyChecker,
  AvatarRealm,
  CascadingChecker,
  type Checker,
  Credentials,
  type CredentialsOf,
  checker,
  InMemoryUsernamePasswordDatabaseDontUse,
  type InstanceOf,
  type Login,
  type Mind,
  PasswordProof,
  Portal,
  type Realm,
  UsernamePassword,
  withDeadline,
} from '@postern/cred';
import { withThrottle } from '@postern/throttle';
import type { Equal, Expect } from './support.ts';

abstract class Mailbox {
  readonly #nominal = true;
  abstract messages(): readonly string[];
  protected get kind(): boolean {
    return this.#nominal;
  }
}
class Delivery {
  readonly #nominal = true;
  send(): boolean {
    return this.#nominal;
  }
}
class Token extends Credentials {
  readonly username = undefined;
  readonly #secret: string;
  constructor(secret: string) {
    super();
    this.#secret = secret;
  }
  isSecret(secret: string): boolean {
    return this.#secret === secret;
  }
}

declare const mind: Mind;
declare const realm: Realm;
declare const passwords: Checker<UsernamePassword>;
declare const proofs: Checker<PasswordProof>;
declare const tokens: Checker<Token>;
const memory = new InMemoryUsernamePasswordDatabaseDontUse();

// A cascade judges the union of what its members judge.
const cascade = CascadingChecker.of(memory, tokens, new AnonymousChecker());
export type CascadeIsUnion = Expect<Equal<typeof cascade, CascadingChecker<PasswordProof | Token | Anonymous>>>;
const nested = CascadingChecker.of(cascade, passwords);
export type NestedIsUnion = Expect<
  Equal<CredentialsOf<typeof nested>, PasswordProof | Token | Anonymous | UsernamePassword>
>;
void cascade.requestAvatarId(new UsernamePassword('joe', 's3cret'), mind);
void cascade.requestAvatarId(new Token('t'), mind);
// @ts-expect-error: no member judges bare credentials
void cascade.requestAvatarId({} as Credentials, mind);
// @ts-expect-error: a number is no checker
CascadingChecker.of(memory, 42);

// All of several checkers judge the intersection.
const both = AllOfChecker.of(proofs, passwords);
export const bothAreIntersection: Checker<UsernamePassword> = both;
void both.requestAvatarId(new UsernamePassword('joe', 's3cret'), mind);
// @ts-expect-error: one of them judges only passwords
void both.requestAvatarId({} as PasswordProof, mind);

// checker() types the credentials by the interfaces.
const ofFunction = checker([UsernamePassword], ({ username, password }) => (password === '' ? undefined : username));
export type FunctionJudgesItsInterfaces = Expect<Equal<typeof ofFunction, Checker<UsernamePassword>>>;
const ofTwo = checker([UsernamePassword, Token], (credentials) => credentials.username);
export type FunctionJudgesEach = Expect<Equal<typeof ofTwo, Checker<UsernamePassword | Token>>>;
// @ts-expect-error: a proof of a password does not contain the password
checker([PasswordProof], ({ password }) => String(password));
// @ts-expect-error: true is no avatar id
checker([UsernamePassword], () => true);

// A wrapped checker judges the same.
const wrapped = withThrottle(withDeadline(CascadingChecker.of(memory, tokens), 1000));
export type WrappedIsTheSame = Expect<Equal<typeof wrapped, Checker<PasswordProof | Token>>>;

// A checker stands for what it judges: for nothing more, and for nothing less.
// @ts-expect-error: it would be handed proofs that have no password to look at
export const more: Checker<PasswordProof> = passwords;
// @ts-expect-error: its interfaces name more
export const less: Checker<UsernamePassword> = proofs;
// @ts-expect-error: another kind altogether
export const other: Checker<Token> = passwords;
export const any: readonly AnyChecker[] = [passwords, proofs, tokens, cascade, new AnonymousChecker()];
// @ts-expect-error: only who has looked at its interfaces may ask any checker
void any[0]?.requestAvatarId(new Token('t'), mind);

// An object may be a checker, if its halves fit together.
export const written: Checker<Token> = {
  credentialInterfaces: [Token],
  requestAvatarId: (token) => (token.isSecret('t') ? 'the bearer' : Promise.reject(new Error())),
};
export const mismatched: Checker<Token> = {
  // @ts-expect-error: these are not tokens
  credentialInterfaces: [UsernamePassword],
  requestAvatarId: () => 'the bearer',
};
export const wrongAnswer: Checker<Token> = {
  credentialInterfaces: [Token],
  // @ts-expect-error: an avatar id is a string or ANONYMOUS
  requestAvatarId: () => 42,
};

// Checkers are registered for what they judge, or for what derives from it.
const portal = new Portal(realm).register(memory).register(tokens, Token).register(proofs, UsernamePassword);
// @ts-expect-error: it judges no tokens
portal.register(memory, Token);
// @ts-expect-error: it judges only some proofs
portal.register(passwords, PasswordProof);
// @ts-expect-error: an avatar's interface is no credentials class
portal.register(memory, Mailbox);

// Credentials are nominal: an object of the same shape is no password.
// @ts-expect-error: it has no #password
export const lookalike: UsernamePassword = { username: 'joe', password: 's3cret' };

// The avatar is of the interface asked for, or of one of them.
export const one: MaybePromise<Login<Mailbox>> = portal.login(new Token('t'), mind, Mailbox);
export async function twoAvatars(): Promise<void> {
  const login = await portal.login(new Token('t'), mind, Delivery, Mailbox);
  login.avatar satisfies Delivery | Mailbox;
  // @ts-expect-error: which of the two it is, is not known yet
  login.avatar.send();
  if (login.avatar instanceof Mailbox) login.avatar.messages();
  else login.avatar.send();
}
export type AbstractInstance = Expect<Equal<InstanceOf<typeof Mailbox>, Mailbox>>;
// @ts-expect-error: an avatar is asked for by its class
void portal.login(new Token('t'), mind, 'Mailbox');
// @ts-expect-error: credentials are objects of their class
void portal.login({ username: 'joe' }, mind, Mailbox);

// A realm's factories make what they provide.
new AvatarRealm().provide(Delivery, () => new Delivery()).provide(Delivery, async () => new Delivery());
// @ts-expect-error: that is no mailbox
new AvatarRealm().provide(Mailbox, () => new Delivery());
// @ts-expect-error: it only looks like a delivery
new AvatarRealm().provide(Delivery, () => ({ send: () => true }));
