import { Identity, UsernamePassword } from '@postern/cred';
import { basic, bearer, digest, type HttpScheme, httpAuth, logTo, scram } from '@postern/http';
import { nginxMailHandler, nginxRequestHandler } from '@postern/http/nginx';
import { type HttpHandler, httpProtocol } from '@postern/http/node';
import { isLocalOnly } from '@postern/node';
import { ApopCredentials, type Challenger, CramMd5Response, ExternalIdentity } from '@postern/sasl';
import { UsageError } from '../errors.ts';
import { expectAccepted, type HttpListenerLimits } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import { type LoginCommand, loginCommandsWith, type OpenAccessProtocol } from './access-protocol.ts';

/**
 * Opens HTTP, by which nginx logs clients in: those of its mail proxy at `/nginx/mail`, and those
 * of its pages at `/nginx/request`.
 */
export const openHttp: OpenAccessProtocol = async ({ accessLimits, workers }, { log }) => {
  const { forMail, forRequests } = splitLimits(accessLimits.http ?? {});
  const onEvent = logEvents(log, logTo);
  const hasWorkers = workers > 1;
  const schemes = SCHEMES.map((scheme) => schemeCommand(scheme, hasWorkers));
  return {
    provide() {},
    create({ portal, challengers, logUsernames, mechanismPolicy, hostname }, { endpoint, nginxBackEnds, nginxSecret }) {
      const backEnds = nginxBackEnds && { backEnds: nginxBackEnds };
      const secret = nginxSecret !== undefined && { secret: nginxSecret };
      const mailOptions = { portal, logUsernames, limits: forMail, onEvent, ...backEnds, ...secret };
      const common = { portal, logUsernames, mechanismPolicy, limits: forRequests, onEvent };
      const mail = expectAccepted(() => nginxMailHandler(mailOptions), 'limits.http');
      const auth = expectAccepted(
        () => httpAuth({ ...common, schemes: schemesOf(challengers, hasWorkers), avatar: Identity, realm: hostname }),
        'limits.http',
      );
      // Another machine without the secret could name any address, and pass the throttle by.
      const trustRealIp = nginxSecret !== undefined || isLocalOnly(endpoint);
      const request = nginxRequestHandler((info) => auth.authenticate(info), { trustRealIp, onEvent, ...secret });
      return httpProtocol(
        route(
          new Map([
            ['/nginx/mail', mail],
            ['/nginx/request', request],
          ]),
        ),
      );
    },
    loginCommands: schemes,
    proxiedMethods: MAIL_METHODS,
    refusal: 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  };
};

/** A scheme, and the mechanisms that send the same secret. */
interface SchemeChoice extends Pick<LoginCommand, 'needs'> {
  readonly create: () => HttpScheme;
  /** True if a login takes two requests, which must reach one process. */
  readonly isExchange: boolean;
}

/** Returns the scheme as `postern explain` shows it. */
function schemeCommand({ create, isExchange, needs }: SchemeChoice, hasWorkers: boolean): LoginCommand {
  const { name, credentials, exposesSecret } = create();
  return {
    mechanism: name,
    credentials,
    exposesSecret,
    needs,
    ...(isExchange && hasWorkers && { unavailable: () => 'with --workers, the two requests may reach two processes' }),
  };
}

/**
 * Returns the schemes that send the same secrets as the mechanisms.
 *
 * @param hasWorkers True if the requests of one exchange may reach different processes.
 * @throws UsageError if none is left.
 */
function schemesOf(challengers: readonly Challenger[], hasWorkers: boolean): readonly HttpScheme[] {
  const usable = SCHEMES.filter(({ isExchange }) => !(isExchange && hasWorkers));
  const schemes = loginCommandsWith(challengers, usable).map(({ create }) => create());
  if (schemes.length > 0) return schemes;
  throw new UsageError(
    `--mechanisms: expected one of PLAIN, OAUTHBEARER${hasWorkers ? '' : ', SCRAM-SHA-256, CRAM-MD5'} for the schemes of HTTP`,
  );
}

/** Returns the limits of the mail proxy, and those of requests. Both have `minFailureDelay`. */
function splitLimits({ maxLoginFailures, loginFailureDelay, ...forRequests }: HttpListenerLimits) {
  const { minFailureDelay } = forRequests;
  const forMail = {
    ...(maxLoginFailures !== undefined && { maxLoginFailures }),
    ...(loginFailureDelay !== undefined && { loginFailureDelay }),
    ...(minFailureDelay !== undefined && { minFailureDelay }),
  };
  return { forMail, forRequests };
}

/** Returns a handler that passes each request to the handler of its path. Other paths get 404. */
function route(handlers: ReadonlyMap<string, HttpHandler>): HttpHandler {
  return (request, response) => {
    const [path = ''] = (request.url ?? '').split('?', 1);
    const handler = handlers.get(path);
    if (handler !== undefined) return handler(request, response);
    request.resume();
    return response.writeHead(404).end();
  };
}

/**
 * Basic is the first: nginx before 1.23 passes on the first challenge only, and each browser knows
 * Basic.
 */
const SCHEMES: readonly SchemeChoice[] = [
  { create: basic, needs: ['PLAIN', 'LOGIN'], isExchange: false },
  { create: bearer, needs: ['OAUTHBEARER', 'XOAUTH2'], isExchange: false },
  { create: scram, needs: ['SCRAM-SHA-256'], isExchange: true },
  { create: digest, needs: ['CRAM-MD5', 'DIGEST-MD5'], isExchange: true },
];
/** The values of `Auth-Method`. nginx names LOGIN `plain` too. */
const MAIL_METHODS: readonly LoginCommand[] = [
  { mechanism: 'plain', credentials: UsernamePassword, exposesSecret: false, needs: [] },
  { mechanism: 'cram-md5', credentials: CramMd5Response, exposesSecret: false, needs: [] },
  { mechanism: 'apop', credentials: ApopCredentials, exposesSecret: false, needs: [] },
  { mechanism: 'external', credentials: ExternalIdentity, exposesSecret: false, needs: [] },
];
