import { cramMd5Responder } from '../cram-md5/responder.ts';
import { digestMd5Responder } from '../digest-md5/responder.ts';
import { loginResponder } from '../login/responder.ts';
import { plainResponder } from '../plain/responder.ts';
import { SCRAM_HASHES, type ScramHash } from '../scram/hashes.ts';
import { scramResponder } from '../scram/responder.ts';
import type { AuthorizationOptions, Responder, UserPassword } from './responder.ts';

/** What a user logs in with, by any mechanism that rests on a password. */
export interface PasswordRespondersOptions extends UserPassword, AuthorizationOptions {
  /** The service's host and the like, for DIGEST-MD5: without it that mechanism is not among them. */
  readonly digestUri?: { readonly service: string; readonly host: string };
}

/**
 * A responder for every mechanism by which a user can log in with a password; {@link authenticate} takes the best that can be had.
 * CRAM-MD5 and LOGIN, which cannot say whom to act as, are not among them for who wants to act as another.
 */
export function passwordResponders(options: PasswordRespondersOptions): readonly Responder[] {
  const hashes = Object.keys(SCRAM_HASHES) as ScramHash[];
  const { authzid = '', digestUri, username } = options;
  const actsAsAnother = authzid !== '' && authzid !== username;
  return [
    ...hashes.map((hash) => scramResponder({ ...options, hash, plus: true })),
    ...hashes.map((hash) => scramResponder({ ...options, hash })),
    ...(digestUri === undefined ? [] : [digestMd5Responder({ ...options, ...digestUri })]),
    ...(actsAsAnother ? [] : [cramMd5Responder(options)]),
    plainResponder(options),
    ...(actsAsAnother ? [] : [loginResponder(options)]),
  ];
}
