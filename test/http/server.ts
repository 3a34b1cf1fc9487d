import type { TlsInfo } from '@postern/core';
import {
  AvatarRealm,
  Identity,
  InMemoryUsernamePasswordDatabaseDontUse,
  identityOf,
  type Mind,
  Portal,
} from '@postern/cred';
import { type HttpAuth, type HttpAuthEvent, type HttpAuthOptions, httpAuth } from '@postern/http';
import { FakeClock, testMind } from '@postern/testing';

/** A server with the user ann, whose password is `secret`, and Mufasa of RFC 7616. */
export class Server {
  readonly events: HttpAuthEvent[] = [];
  readonly clock = new FakeClock();
  readonly portal: Portal;
  readonly auth: HttpAuth<Identity>;
  readonly mind: Mind;

  constructor({ mind, ...options }: Partial<HttpAuthOptions<Identity>> & { readonly mind?: Partial<Mind> } = {}) {
    const users = new InMemoryUsernamePasswordDatabaseDontUse({
      ann: 'secret',
      Mufasa: 'Circle of Life',
      test: '123£',
    });
    const realm = new AvatarRealm().provide(Identity, identityOf);
    this.portal = options.portal ?? new Portal(realm, { clock: this.clock }).register(users);
    this.mind = testMind({ protocol: 'http', tls: TLS, ...mind });
    this.auth = httpAuth({
      avatar: Identity,
      realm: 'example.com',
      onEvent: (event) => void this.events.push(event),
      clock: this.clock,
      ...options,
      portal: this.portal,
      // The fake clock does not advance by itself.
      limits: { minFailureDelay: 0, minChallengeDelay: 0, ...options.limits },
    });
  }

  /** Returns the answer to a GET request as text: the status, or the user, and then the fields. */
  async get(authorization?: string | readonly string[], target = '/', mind = this.mind): Promise<string> {
    await using outcome = await this.auth.authenticate({ method: 'GET', target, authorization, mind });
    const first = outcome.login === undefined ? String(outcome.status) : outcome.login.avatar.username;
    return [first, ...outcome.headers.map(([name, value]) => `${name}: ${value}`)].join('\n');
  }
}

/** Returns the credentials of Basic for `user:password`. */
export function basicField(userPass: string, encoding: BufferEncoding = 'utf8'): string {
  return `Basic ${Buffer.from(userPass, encoding).toString('base64')}`;
}

const TLS: TlsInfo = { version: 'TLSv1.3', cipher: 'TLS_AES_256_GCM_SHA384' } as TlsInfo;
