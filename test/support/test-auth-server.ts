import {
  AvatarRealm,
  type Checker,
  checker,
  Identity,
  InMemoryUsernamePasswordDatabaseDontUse,
  identityOf,
  PasswordProof,
  Portal,
  TemporaryFailure,
} from '@postern/cred';
import { dovecotAuth, saslauthd } from '@postern/dovecot-auth';
import { listen } from '@postern/node';
import { BearerToken, ScramCredentials } from '@postern/sasl';

/** The user whose back end is down. */
export const DOWN = 'down';
/** The user whose back end never answers. */
export const HUNG = 'hung';

/**
 * Starts an auth server for mail servers at a UNIX socket. Joe's password is `s3cret`, his token
 * `t0ken`. A restart is a second server with `takeOver` at the same path.
 */
export function startTestAuthServer(
  path: string,
  options: { readonly takeOver?: boolean; readonly protocol?: 'saslauthd' } = {},
): Promise<AsyncDisposable> {
  const tokens = checker([BearerToken], ({ token }) => (token === 't0ken' ? 'joe' : undefined));
  const portal = new Portal(new AvatarRealm().provide(Identity, identityOf)).register(users()).register(tokens);
  const protocol =
    options.protocol === 'saslauthd'
      ? saslauthd({ portal, onEvent: () => {} })
      : dovecotAuth({ portal, hostname: 'postern.example.com', listGnuScram: true, onEvent: () => {} });
  return listen({ endpoint: { path }, protocol, mode: 0o666, takeOver: options.takeOver ?? false });
}

/** Returns a checker of joe's password whose back end depends on the user's name. */
function users(): Checker<PasswordProof | ScramCredentials> {
  const known = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 's3cret', ann: 's3cret' });
  return checker([PasswordProof, ScramCredentials], (credentials) => {
    if (credentials.username === DOWN) throw new TemporaryFailure('the back end is down');
    if (credentials.username === HUNG) return new Promise(() => {});
    return known.requestAvatarId(credentials);
  });
}
