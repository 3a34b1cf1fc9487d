export type {
  Address,
  ChannelBindingType,
  Clock,
  Disconnection,
  DisconnectListener,
  MaybePromise,
  PeerCertificate,
  TlsInfo,
} from '@postern/core';
export {
  ANONYMOUS,
  type AnyChecker,
  type AvatarId,
  askChecker,
  type Checker,
  type CredentialsOf,
  checker,
  isUserDirectory,
  type UserDirectory,
} from './checker.ts';
export { AllOfChecker } from './checkers/all-of-checker.ts';
export { CascadingChecker } from './checkers/cascading-checker.ts';
export { InMemoryUsernamePasswordDatabaseDontUse } from './checkers/in-memory-database.ts';
export { withDeadline } from './checkers/with-deadline.ts';
export { AnonymousChecker, TrustedLoginChecker } from './checkers/without-proof.ts';
export { Anonymous, type Ask, Credentials, type ProofState, TrustedLogin } from './credentials.ts';
export { disconnectionOf, hasDisconnected } from './disconnection.ts';
export {
  AvatarInUse,
  asLoginError,
  type Culprit,
  culpritOf,
  type DenialOptions,
  type DenialReason,
  isThrottled,
  LoginDenied,
  LoginError,
  NoAvatar,
  TemporaryFailure,
  type TemporaryFailureOptions,
  UnauthorizedLogin,
  UnhandledCredentials,
} from './errors.ts';
export { Identity, identityOf } from './identity.ts';
export { type InstanceOf, type Interface, isDerived } from './interface.ts';
export type { Login, LogoutReason, OnLogout } from './login.ts';
export { DelegatingMind, type Exchange, type Mind } from './mind.ts';
export { type Authorize, onlyAsThemselves, Portal, type PortalOptions } from './portal.ts';
export { type AvatarFactory, AvatarRealm, type Realm, type RealmAvatar } from './realm.ts';
export type { RelayedBinding } from './relayed-binding.ts';
export { PasswordProof, UsernamePassword } from './username-password.ts';
