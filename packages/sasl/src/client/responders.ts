import { cramMd5Responder } from '../cram-md5/responder.ts';
import { digestMd5Responder } from '../digest-md5/responder.ts';
import { loginResponder } from '../login/responder.ts';
import { plainResponder } from '../plain/responder.ts';
import { SCRAM_HASHES, type ScramHash } from '../scram/hashes.ts';
import { scramResponder } from '../scram/responder.ts';
import type { AuthorizationOptions, Responder, UserPassword } from './responder.ts';

/** The options of all mechanisms that rest on a password. */
export interface PasswordRespondersOptions extends UserPassword, AuthorizationOptions {
  /** The service and its host, for DIGEST-MD5. Default: no DIGEST-MD5. */
  readonly digestUri?: { readonly service: string; readonly host: string };
}

/**
 * Returns a responder for each mechanism that rests on a password. `authenticate` tries the
 * strongest that the server offers. CRAM-MD5 and LOGIN carry no authorization identity, and are
 * absent for a user who acts as another.
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
