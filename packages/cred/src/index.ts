export type { Address, ChannelBindingType, Clock, MaybePromise, PeerCertificate, TlsInfo } from '@postern/core';
export { ANONYMOUS, type AvatarId } from './avatar-id.ts';
export { type AnyChecker, askChecker, type Checker, type CredentialsOf } from './checker.ts';
export { AllOfChecker } from './checkers/all-of.ts';
export { AnonymousChecker } from './checkers/anonymous.ts';
export { CascadingChecker } from './checkers/cascading.ts';
export { InMemoryUsernamePasswordDatabaseDontUse } from './checkers/in-memory.ts';
export { TrustedLoginChecker } from './checkers/trusted-login.ts';
export { withDeadline } from './checkers/with-deadline.ts';
export { Anonymous, type Ask, Credentials, PasswordProof, type ProofState, UsernamePassword } from './credentials.ts';
export { DelegatingMind } from './delegating-mind.ts';
export {
  asLoginError,
  type Culprit,
  type DenialOptions,
  type DenialReason,
  isThrottled,
  LoginDenied,
  LoginError,
  NoAvatar,
  TemporaryFailure,
  UnauthorizedLogin,
  UnhandledCredentials,
} from './errors.ts';
export { type InstanceOf, type Interface, isDerived } from './interface.ts';
export type { Login, LogoutReason, OnLogout } from './login.ts';
export type { Exchange, Mind } from './mind.ts';
export { type Authorize, onlyAsThemselves, Portal, type PortalOptions } from './portal.ts';
export { type AvatarFactory, AvatarRealm, type Realm, type RealmAvatar } from './realm.ts';
export { TrustedLogin } from './trusted-login.ts';
export { isUserDirectory, type UserDirectory } from './user-directory.ts';
