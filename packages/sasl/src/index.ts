export type { Ask } from '@postern/cred';
export { anonymous } from './anonymous/challenger.ts';
export { ApopCredentials } from './apop-credentials.ts';
export { type Authentication, authenticate } from './authenticate.ts';
export type { ChannelBindingPolicy } from './binding-policy.ts';
export { decodeBase64, decodeUtf8, encodeBase64, encodeUtf8, NO_BYTES } from './bytes.ts';
export { ChallengePacer } from './challenge-pacer.ts';
export type { Challenger } from './challenger.ts';
export { checkChallengers, checkMechanismName, overrideChallengers } from './challenger-list.ts';
export {
  allChallengers,
  type ChallengersOptions,
  defaultChallengers,
  explainOmission,
  mechanismNames,
} from './challengers.ts';
export { type CramMd5Options, cramMd5 } from './cram-md5/challenger.ts';
export { cramMd5Contexts } from './cram-md5/contexts.ts';
export { CramMd5Response } from './cram-md5/credentials.ts';
export { type DigestMd5Options, digestMd5 } from './digest-md5/challenger.ts';
export { type DigestMd5Info, DigestMd5Response } from './digest-md5/credentials.ts';
export type { DigestInput } from './digest-md5/digest.ts';
export { ExchangeCancelled, ExchangeError, type Malformation, MalformedResponse, UnheardRefusal } from './errors.ts';
export { excludedClients, type OfferedOn } from './excluded-clients.ts';
export { external } from './external/challenger.ts';
export { ExternalIdentity } from './external/credentials.ts';
export { type LoginOptions, login } from './login/challenger.ts';
export { type OAuthBearerOptions, oauthBearer } from './oauthbearer/challenger.ts';
export { BearerToken, type BearerTokenInfo, type TokenStatus } from './oauthbearer/credentials.ts';
export { explain, type MechanismPolicy, mayExposeSecret, offered } from './offered.ts';
export { isPassword, preparePassword } from './password.ts';
export { plain } from './plain/challenger.ts';
export { preparedName } from './prepared-name.ts';
export { type Preparation, saslprep } from './saslprep/saslprep.ts';
export { type ScramOptions, scram } from './scram/challenger.ts';
export { DEFAULT_CHANNEL_BINDINGS } from './scram/channel-binding.ts';
export {
  SCRAM_CREDENTIALS,
  ScramCredentials,
  type ScramExchange,
  ScramSha1Credentials,
  ScramSha3_512Credentials,
  ScramSha224Credentials,
  ScramSha256Credentials,
  ScramSha384Credentials,
  ScramSha512Credentials,
} from './scram/credentials.ts';
export type { ScramParameters } from './scram/decoys.ts';
export { SCRAM_HASHES, type ScramHash, type ScramHashInfo } from './scram/hashes.ts';
export type { ScramRecordForm, ScramSecretParts } from './scram/records.ts';
export {
  DEFAULT_ITERATIONS,
  MAX_ITERATIONS,
  MIN_ITERATIONS,
  type ScramDerivation,
  ScramSecret,
} from './scram/secret.ts';
export { STRENGTH } from './strength.ts';
export { usernamePassword } from './username-password.ts';
export { type XOAuth2Options, xoauth2 } from './xoauth2/challenger.ts';
