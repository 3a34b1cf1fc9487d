import type { Login } from '@postern/cred';
import type { RefusalStatus } from './error-replies.ts';
import type { HeaderField } from './request-info.ts';

/**
 * A client that is logged in. Hold it with `await using`: its disposal ends the login. Dispose of
 * it when the response has been sent.
 */
export interface Granted<A> extends AsyncDisposable {
  readonly login: Login<A>;
  /** Fields to add to the response, such as Authentication-Info. */
  readonly headers: readonly HeaderField[];
}

/** A client that is not logged in. Its disposal does nothing. */
export interface Refused extends AsyncDisposable {
  readonly login?: undefined;
  readonly status: RefusalStatus;
  /** The fields of the response. Each challenge is a WWW-Authenticate line of its own. */
  readonly headers: readonly HeaderField[];
}

/** @internal */
export class GrantedLogin<A> implements Granted<A> {
  readonly login: Login<A>;
  readonly headers: readonly HeaderField[];

  constructor(login: Login<A>, headers: readonly HeaderField[]) {
    this.login = login;
    this.headers = headers;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.login.logout();
  }
}

/** @internal */
export class RefusedLogin implements Refused {
  readonly status: RefusalStatus;
  readonly headers: readonly HeaderField[];

  constructor(status: RefusalStatus, headers: readonly HeaderField[]) {
    this.status = status;
    this.headers = headers;
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
