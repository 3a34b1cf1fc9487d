import { UsernamePassword } from '@postern/cred';
import { type Challenger, STRENGTH } from '@postern/sasl';
import { ApopCredentials } from '../apop/credentials.ts';

/** The facts of a command that logs in without a SASL exchange: its line has the credentials. */
type LoginCommand = Omit<Challenger, 'challenge'>;

/** USER and PASS, as a mechanism of the name `USER`. */
export const USER: LoginCommand = {
  mechanism: 'USER',
  credentials: UsernamePassword,
  exposesSecret: true,
  strength: STRENGTH.password,
};

/** APOP, as a mechanism of its name. */
export const APOP: LoginCommand = {
  mechanism: 'APOP',
  credentials: ApopCredentials,
  exposesSecret: false,
  strength: STRENGTH.digest,
};

/** Returns a challenger of the command, for the offer: only a command's line makes credentials. */
export function asOffered(command: LoginCommand): Challenger {
  return {
    ...command,
    challenge: () => {
      throw new Error(`${command.mechanism} has no exchange`);
    },
  };
}
