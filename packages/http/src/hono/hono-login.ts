import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Login, Mind } from '@postern/cred';
import type { RefusalStatus } from '../error-replies.ts';
import type { ProxyOptions } from '../node/forwarded-client.ts';
import type { HttpAuthenticator } from '../node/http-authenticator.ts';
import { logOut, logoutAtEnd, MALFORMED } from '../node/log-in-request.ts';
import { rawField } from '../node/raw-field.ts';
import { mindOf } from '../node/request-mind.ts';
import type { HeaderField } from '../request-info.ts';

/** The part of Hono's context that the middleware uses. */
interface LoginContext<A> {
  readonly env: unknown;
  readonly req: { readonly raw: Request };
  header(name: string, value: string, options: { readonly append: true }): void;
  body(data: null, status: RefusalStatus): Response;
  set(key: 'login', login: Login<A>): void;
}

/** The options of {@link honoLogin}. */
export interface HonoLoginOptions extends ProxyOptions {
  /**
   * Returns the mind of a request on a server that is not `@hono/node-server`, whose sockets the
   * middleware finds itself. Default: such a request is an error.
   */
  readonly mindOf?: (request: Request, env: unknown) => Mind;
}

/**
 * Returns a middleware for Hono 4, which sets the variable `login`. It answers refused clients. An
 * error of the authenticator reaches `app.onError`. On `@hono/node-server` a login ends when the
 * response closes, and elsewhere when the handlers have returned.
 *
 * @example
 * ```ts
 * import type { Identity, Login } from '@postern/cred';
 * import { honoLogin } from '@postern/http/hono';
 * import type { HttpAuthenticator } from '@postern/http/node';
 * import { Hono } from 'hono';
 *
 * declare const authenticator: HttpAuthenticator<Identity>;
 * const app = new Hono<{ Variables: { login: Login<Identity> } }>();
 * app.use(honoLogin(authenticator));
 * app.get('/', (context) => context.text(`hello, ${context.var.login.avatar.username}`));
 * ```
 */
export function honoLogin<A>(
  authenticator: HttpAuthenticator<A>,
  options: HonoLoginOptions = {},
): (context: LoginContext<A>, next: () => Promise<void>) => Promise<Response | undefined> {
  return async (context, next) => {
    const { raw } = context.req;
    const node = nodeOf(context.env);
    const mind = node ? mindOf(node.incoming, node.outgoing, options) : options.mindOf?.(raw, context.env);
    if (mind === undefined && node) return context.body(null, MALFORMED.status);
    if (mind === undefined) throw new TypeError('mindOf: needed on a server that is not @hono/node-server');
    const authorization = node
      ? rawField(node.incoming, 'authorization')
      : (raw.headers.get('authorization') ?? undefined);
    const target = node?.incoming.url ?? targetOf(raw);
    const outcome = await authenticator({ method: raw.method, target, authorization, mind });
    const add = fieldAdder(context, node);
    for (const [name, value] of outcome.headers ?? NO_FIELDS) add(name, value);
    const { login } = outcome;
    // The context adds its fields to the response.
    if (login === undefined) return context.body(null, outcome.status);
    context.set('login', login);
    if (node !== undefined) {
      logoutAtEnd(login, node.outgoing);
      await next();
      return undefined;
    }
    try {
      await next();
    } finally {
      await logOut(login);
    }
    return undefined;
  };
}

/** The environment of `@hono/node-server`: the request and the response of `node:http`. */
interface NodeEnvironment {
  readonly incoming: IncomingMessage;
  readonly outgoing: ServerResponse;
}

function nodeOf(env: unknown): NodeEnvironment | undefined {
  const isNode = typeof env === 'object' && env !== null && 'incoming' in env && 'outgoing' in env;
  return isNode ? (env as NodeEnvironment) : undefined;
}

/**
 * Returns a function that adds a field to the response. `@hono/node-server` joins fields of one
 * name to one line, and many clients read one challenge a line. So the response of `node:http` gets
 * the field there.
 */
function fieldAdder(context: Pick<LoginContext<never>, 'header'>, node: NodeEnvironment | undefined) {
  if (node !== undefined) return (name: string, value: string) => void node.outgoing.appendHeader(name, value);
  return (name: string, value: string) => context.header(name, value, { append: true });
}

function targetOf({ url }: Request): string {
  const { pathname, search } = new URL(url);
  return pathname + search;
}

const NO_FIELDS: readonly HeaderField[] = [];
