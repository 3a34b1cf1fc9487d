import { UsernamePassword } from '@postern/cred';
import { ApopCredentials, STRENGTH } from '@postern/sasl';

/** USER and PASS, as a mechanism of the name `USER`. */
export const USER = {
  mechanism: 'USER',
  credentials: UsernamePassword,
  exposesSecret: true,
  strength: STRENGTH.password,
} as const;

/** APOP, as a mechanism of its name. */
export const APOP = {
  mechanism: 'APOP',
  credentials: ApopCredentials,
  exposesSecret: false,
  strength: STRENGTH.digest,
} as const;
