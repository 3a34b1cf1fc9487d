export {
  type Binder,
  bindAvatar,
  bindChallenger,
  bindChecker,
  bindListener,
  bindRealm,
  type CheckerOptions,
} from './bind.ts';
export { conversationModule } from './conversation-module.ts';
export { credModule } from './cred-module.ts';
export { mailboxModule, maildirModule, relayModule } from './delivery-modules.ts';
export { dovecotAuthModule } from './dovecot-auth-module.ts';
export { dovecotUserdbModule } from './dovecot-userdb-module.ts';
export { esmtpModule } from './esmtp-module.ts';
export { httpModule } from './http-module.ts';
export {
  type BoundAvatar,
  type BoundChallenger,
  type BoundChecker,
  type BoundListener,
  type BoundProtocol,
  identifiers,
  type ListenerOptions,
  type ProtocolFactory,
} from './identifiers.ts';
export { imapModule } from './imap-module.ts';
export { managesieveModule } from './managesieve-module.ts';
export { Misconfiguration } from './misconfiguration.ts';
export { nodeModule } from './node-module.ts';
export { policyModule } from './policy-module.ts';
export { pop3Module } from './pop3-module.ts';
export { type ProtocolParts, protocolModule } from './protocol-module.ts';
export { saslModule } from './sasl-module.ts';
export { saslauthdModule } from './saslauthd-module.ts';
export { socketmapModule } from './socketmap-module.ts';
export { start, submissionModules } from './start.ts';
