export { canonicalName } from './canonical-name.ts';
export { SecretError, UnknownUser, UserExists } from './errors.ts';
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
export type { AppPassword, TotpRecord, UserRecord } from './user-record.ts';
export { isUserDatabase, type UserDatabase, type UserStore } from './user-store.ts';
