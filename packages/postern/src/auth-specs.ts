import {
  AnonymousChecker,
  type AnyChecker,
  InMemoryUsernamePasswordDatabaseDontUse,
  TrustedLoginChecker,
} from '@postern/cred';
import { preparePassword, saslprep } from '@postern/sasl';
import { UsageError } from './errors.ts';
import { expectWord, type SpecForm, type SpecForms } from './option-values.ts';
import { secretOf } from './spec-secrets.ts';
import { UserStoreChecker } from './user-store-checker.ts';
import { type UserStoreSpec, userStoreSpecs } from './user-store-spec.ts';

/** A user of `memory:USER:PASSWORD`. */
export interface MemoryUser {
  readonly username: string;
  /** True for a password of fewer than 8 characters, which an attacker can guess. */
  readonly isWeak: boolean;
}

/** Returns the user of a spec `memory:USER:PASSWORD`; an empty list for any other user database. */
export function memoryUser(spec: unknown): readonly MemoryUser[] {
  const [, username, password] = (typeof spec === 'string' && /^memory:([^:]+):(.+)$/s.exec(spec)) || [];
  if (username === undefined || password === undefined) return [];
  return [{ username, isWeak: Array.from(secretOf(password)).length < MIN_PASSWORD_CHARACTERS }];
}

const memory: SpecForm<AnyChecker> = {
  usage: 'memory:USER:PASSWORD',
  summary: 'one user; PASSWORD, env:NAME or file:PATH, in clear text',
  parse(rest = '') {
    const colon = rest.indexOf(':');
    const username = saslprep(rest.slice(0, Math.max(colon, 0)), 'stored');
    const password = preparePassword(secretOf(rest.slice(colon + 1)));
    if (username === undefined || password === undefined) {
      throw new UsageError(
        'expected memory:USER:PASSWORD, neither of them empty, the name without control characters (RFC 4013)',
      );
    }
    return new InMemoryUsernamePasswordDatabaseDontUse([[username, password]]);
  },
};

const anonymous: SpecForm<AnyChecker> = {
  usage: 'anonymous',
  summary: 'every client, without a user name',
  parse(rest) {
    expectWord('anonymous', rest);
    return new AnonymousChecker();
  },
};

const trusted: SpecForm<AnyChecker> = {
  usage: 'trusted',
  summary: 'the user that a peer of ?xclient= names (LOGIN of XCLIENT)',
  parse(rest) {
    expectWord('trusted', rest);
    return new TrustedLoginChecker();
  },
};

function ofStore(form: SpecForm<UserStoreSpec>): SpecForm<AnyChecker> {
  return { ...form, parse: (rest) => new UserStoreChecker(form.parse(rest)) };
}

/** The forms of `--auth`. */
export const authSpecs: SpecForms<AnyChecker> = new Map([
  ...Array.from(userStoreSpecs, ([scheme, form]): [string, SpecForm<AnyChecker>] => [scheme, ofStore(form)]),
  ['memory', memory],
  ['anonymous', anonymous],
  ['trusted', trusted],
]);

/** NIST SP 800-63B §5.1.1.1. */
const MIN_PASSWORD_CHARACTERS = 8;
