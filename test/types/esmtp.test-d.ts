// Types that must compile, and types that must not. Nothing here runs.
import { AvatarRealm, type Checker, Credentials, UsernamePassword } from '@postern/cred';
import {
  accept,
  challenge,
  decide,
  defer,
  esmtp,
  LoginDeferral,
  LoginRejection,
  type Message,
  MessageDelivery,
  OwnSenderDelivery,
  PerRecipientDelivery,
  Reply,
  reject,
  type Verdict,
} from '@postern/esmtp';
import { ExternalIdentity, ScramCredentials } from '@postern/sasl';
import type { Equal, Expect } from './support.ts';

declare const lookUp: (name: string) => Promise<boolean>;

// A decision returns a verdict or nothing, or a promise of it.
export const decided: Checker<UsernamePassword> = decide([UsernamePassword], ({ username, password }) =>
  password === 's3cret' ? accept(username) : reject(),
);
export const undecided: Checker<UsernamePassword> = decide([UsernamePassword], () => {});
export const later: Checker<UsernamePassword> = decide([UsernamePassword], async ({ username }) => {
  if (await lookUp(username)) return accept(username);
  return undefined;
});
export const further = decide([UsernamePassword], ({ username }, { exchange }, [code]) => {
  if (exchange === undefined) return defer('Not here', { code: 421, enhanced: '4.7.0', disconnect: true });
  return code === undefined ? challenge('code?') : accept(username);
});
const ofTwo = decide([ScramCredentials, ExternalIdentity], (credentials) => {
  if (credentials instanceof ExternalIdentity) return accept(credentials.certificate.fingerprint256);
  credentials satisfies ScramCredentials;
  return reject('No', { code: 550, enhanced: '5.7.1' });
});
export type OfTwo = Expect<Equal<typeof ofTwo, Checker<ScramCredentials | ExternalIdentity>>>;
export const ofAny: Checker<Credentials> = decide([Credentials], ({ username = 'nobody' }) => accept(username));

// Neither a flag nor a promise of one is a verdict (rows 31 and 32 of the AUTH table).
// @ts-expect-error: true is no verdict
decide([UsernamePassword], () => true);
// @ts-expect-error: nor is a promise of it, which would be true whatever it came to
decide([UsernamePassword], ({ username }) => lookUp(username));
// @ts-expect-error: nor a name
decide([UsernamePassword], ({ username }) => username);
// @ts-expect-error: nor what only looks like one
decide([UsernamePassword], ({ username }) => ({ avatarId: username }));
// @ts-expect-error: nor a reply
decide([UsernamePassword], () => new Reply(535, '5.7.8', 'No'));
// @ts-expect-error: nor nothing at all of another kind
decide([UsernamePassword], () => null);
// @ts-expect-error: the class of credentials decides what the decision gets
decide([Credentials], ({ password }) => accept(password));
// @ts-expect-error: accept needs an avatar id
accept();
// @ts-expect-error: credentials without a name have to be given one
decide([ExternalIdentity], ({ username }) => accept(username));
// @ts-expect-error: a code that says that all is well
reject('No', { enhanced: '2.7.0' });
export const verdicts: readonly Verdict[] = [accept('joe'), reject(), defer(), challenge(new Uint8Array(1))];
// @ts-expect-error: made by the four words only, or by their classes
export const made: Verdict = { error: new LoginRejection(new Reply(535, '5.7.8')) };
export const errors: readonly Error[] = [
  new LoginRejection(new Reply(535, '5.7.8'), { disconnect: true }),
  new LoginDeferral(new Reply(454, '4.7.0')),
];

// A listener's service is one of three words, and each default can be chosen otherwise by its name.
declare const options: Parameters<typeof esmtp>[0];
esmtp({ ...options, service: 'mx', authentication: 'none', requireQualifiedDomains: true });
// @ts-expect-error: no service
esmtp({ ...options, service: 'smtp' });
// @ts-expect-error: no word for authentication
esmtp({ ...options, authentication: false });

// An avatar of ESMTP is of a class that extends MessageDelivery, and not an object literal.
const literal = { validateFrom: () => {}, validateTo: () => {}, openMessage: () => message };
declare const message: Message;
declare const lookalike: Pick<MessageDelivery, 'validateFrom' | 'validateTo' | 'openMessage'>;
class OwnDelivery extends MessageDelivery {
  validateFrom(): void {}
  validateTo(): void {}
  openMessage = (): Message => message;
}
export const delivery: MessageDelivery = new OwnDelivery();
export const ownRealm = new AvatarRealm().provide(MessageDelivery, () => new OwnDelivery());
// @ts-expect-error: an object literal is not of the class
export const looksLikeOne: MessageDelivery = literal;
// @ts-expect-error: a factory that returns a literal
new AvatarRealm().provide(MessageDelivery, () => literal);
// @ts-expect-error: an asynchronous one
new AvatarRealm().provide(MessageDelivery, async () => literal);
// @ts-expect-error: a factory of objects with exactly these methods
new AvatarRealm().provide(MessageDelivery, () => lookalike);
// @ts-expect-error: an avatar in place of a factory
new AvatarRealm().provide(MessageDelivery, new OwnDelivery());
// @ts-expect-error: a delivery that wraps a literal
new OwnSenderDelivery(literal, { avatarId: 'ann', addresses: [] });
// @ts-expect-error: a route to a literal
new PerRecipientDelivery(() => literal);

// The hostname is a name, or a function of the mind.
esmtp({ ...options, hostname: ({ tls }) => tls?.serverName ?? 'mx.example.com' });
// @ts-expect-error: a function that has no name to return
esmtp({ ...options, hostname: ({ tls }) => tls?.serverName });
