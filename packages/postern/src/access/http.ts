import { Identity } from '@postern/cred';
import { basic, bearer, digest, type HttpScheme, httpAuth, logTo, scram } from '@postern/http';
import { nginxMailHandler, nginxRequestHandler } from '@postern/http/nginx';
import { type HttpHandler, httpProtocol } from '@postern/http/node';
import { isLocalOnly } from '@postern/node';
import type { Challenger } from '@postern/sasl';
import { UsageError } from '../errors.ts';
import { expectAccepted, type HttpListenerLimits } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';

/**
 * Opens HTTP, by which nginx logs clients in: those of its mail proxy at `/nginx/mail`, and those
 * of its pages at `/nginx/request`.
 */
export const openHttp: OpenAccessProtocol = async ({ accessLimits, reusePort }, { log }) => {
  const { forMail, forRequests } = splitLimits(accessLimits.http ?? {});
  const onEvent = logEvents(log, logTo);
  return {
    provide() {},
    create({ portal, challengers, logUsernames, mechanismPolicy, hostname }, { endpoint, nginxBackEnds, nginxSecret }) {
      const backEnds = nginxBackEnds && { backEnds: nginxBackEnds };
      const secret = nginxSecret !== undefined && { secret: nginxSecret };
      const mailOptions = { portal, logUsernames, limits: forMail, onEvent, ...backEnds, ...secret };
      const common = { portal, logUsernames, mechanismPolicy, limits: forRequests, onEvent };
      const mail = expectAccepted(() => nginxMailHandler(mailOptions), 'limits.http');
      const schemes = schemesOf(challengers, reusePort);
      const auth = expectAccepted(
        () => httpAuth({ ...common, schemes, avatar: Identity, realm: hostname }),
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
    loginCommands: [],
    refusal: 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  };
};

/**
 * Returns the schemes that send the same secrets as the mechanisms. Basic is the first: nginx
 * before 1.23 passes on the first challenge only, and each browser knows Basic.
 *
 * @param hasWorkers True if the requests of one exchange may reach different processes.
 * @throws UsageError if none is left.
 */
function schemesOf(challengers: readonly Challenger[], hasWorkers: boolean): readonly HttpScheme[] {
  const names = new Set(challengers.map(({ mechanism }) => mechanism));
  const has = (...mechanisms: readonly string[]) => mechanisms.some((mechanism) => names.has(mechanism));
  const schemes = [
    ...(has('PLAIN', 'LOGIN') ? [basic()] : []),
    ...(has('OAUTHBEARER', 'XOAUTH2') ? [bearer()] : []),
    ...(has('SCRAM-SHA-256') && !hasWorkers ? [scram()] : []),
    ...(has('CRAM-MD5', 'DIGEST-MD5') && !hasWorkers ? [digest()] : []),
  ];
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
