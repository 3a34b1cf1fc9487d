import { UsernamePassword } from '@postern/cred';
import { EMPTY } from '../bytes.ts';
import type { Challenger } from '../challenger.ts';
import { MalformedResponse } from '../errors.ts';
import { prepared, preparedAuthzid, responseText } from '../response.ts';

/** PLAIN (RFC 4616): the user name and the password, in one message. */
export function plain(): Challenger<UsernamePassword> {
  return {
    mechanism: 'PLAIN',
    credentials: UsernamePassword,
    exposesSecret: true,
    async challenge(ask, initialResponse) {
      const message = responseText(initialResponse ?? (await ask(EMPTY)));
      const fields = message.split('\0', 4);
      if (fields.length !== 3) throw new MalformedResponse('a PLAIN message has three fields, with NUL between them');
      const [authzid, authcid, password] = fields as [string, string, string];
      const username = prepared(authcid, 'user name');
      return new UsernamePassword(username, prepared(password, 'password'), preparedAuthzid(authzid, username));
    },
  };
}
