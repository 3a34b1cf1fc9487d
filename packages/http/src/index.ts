export { basic } from './basic/basic.ts';
export { type BearerOptions, bearer } from './bearer/bearer.ts';
export { type DigestAlgorithm, type DigestInput, digestUserhash } from './digest/algorithms.ts';
export { type DigestOptions, digest } from './digest/digest.ts';
export { type HttpDigestInfo, HttpDigestResponse } from './digest/http-digest-response.ts';
export type { RefusalStatus } from './error-replies.ts';
export type { HttpAuthEvent, HttpAuthListener } from './events.ts';
export type { ClientInfo } from './fetch.ts';
export { HttpAuth, type HttpAuthOptions, httpAuth } from './http-auth.ts';
export type { HttpLimits } from './limits.ts';
export { logTo } from './log/log-to.ts';
export type { Granted, Refused } from './outcome.ts';
export type { HeaderField, HttpRequestInfo } from './request-info.ts';
export type {
  AuthenticateOptions,
  HttpScheme,
  ProtectionSpace,
  ReadCredentials,
  SchemeAttempt,
  SchemeOutcome,
  SchemeServer,
} from './schemes/scheme.ts';
export { type Authorization, splitAuthorization } from './schemes/split-authorization.ts';
export { type HttpScramOptions, scram } from './scram/scram.ts';
