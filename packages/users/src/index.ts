export { generateAppPassword, generatePassword, type NewAppPassword } from './app-password.ts';
export { type ByDomainOptions, byDomain } from './by-domain.ts';
export { type CacheOptions, cachedStore } from './cached-store.ts';
export { canonicalName } from './canonical-name.ts';
export { SecretError, UnknownUser, UserExists, UserStoreError } from './errors.ts';
export { detectUserFileFormat } from './files/detect-user-file-format.ts';
export { UserFileError } from './files/errors.ts';
export { FileUserStore, type FileUserStoreOptions } from './files/file-user-store.ts';
export { type ParsedUserFile, parseUserFile, readUserFile } from './files/parse-user-file.ts';
export type {
  UserFileEffect,
  UserFileFormat,
  UserFileItem,
  UserFileOptions,
  UserFileProblem,
  UserFileUser,
} from './files/user-file.ts';
export { HashQueue, type HashQueueOptions } from './hashing/hash-queue.ts';
export { InMemoryUserStore } from './in-memory-user-store.ts';
export type { Argon2Cost } from './secrets/argon2.ts';
export { type HashPasswordOptions, hashPassword } from './secrets/hash-password.ts';
export { parseSecret } from './secrets/parse-secret.ts';
export { defaultPolicy, type PasswordPolicy, type ScramCost } from './secrets/policy.ts';
export { needsRehash, rehashedSecrets } from './secrets/rehash.ts';
export type {
  ClearPassword,
  CramMd5Key,
  Crypt,
  DigestMd5Key,
  HashThreads,
  HashWork,
  NoPassword,
  PasswordHash,
  ScramRecord,
  Secret,
} from './secrets/secret.ts';
export type { SecretOptions } from './secrets/secret-options.ts';
export { type OtpauthLabel, otpauthUrl } from './totp/otpauth-url.ts';
export type { TotpOptions } from './totp/second-factor.ts';
export { generateTotp, type TotpParameters, totpCode } from './totp/totp.ts';
export { type WithTotpOptions, withTotp } from './totp/with-totp.ts';
export { UserChecker, type UserCheckerOptions } from './user-checker.ts';
export type { AppPassword, TotpRecord, UserRecord } from './user-record.ts';
export { isUserDatabase, type UserDatabase, type UserStore } from './user-store.ts';
