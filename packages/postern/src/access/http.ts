import { type NginxMailEvent, nginxMailHandler } from '@postern/http/nginx';
import { type HttpHandler, httpProtocol } from '@postern/http/node';
import { type EntryWriter, eventLog, writeSessionEntry } from '@postern/sasl-profile';
import { expectAccepted } from '../limits.ts';
import { logEvents } from '../log-events.ts';
import type { OpenAccessProtocol } from './access-protocol.ts';

/** Opens HTTP, by which nginx logs the clients of its mail proxy in. */
export const openHttp: OpenAccessProtocol = async ({ accessLimits }, { log }) => {
  const limits = accessLimits.http ?? {};
  const onEvent = logEvents<NginxMailEvent>(log, (logger, options) =>
    eventLog<NginxMailEvent>(logger, options, writeMailEntry),
  );
  return {
    provide() {},
    create({ portal, logUsernames }, { nginxBackEnds, nginxSecret }) {
      const backEnds = nginxBackEnds && { backEnds: nginxBackEnds };
      const secret = nginxSecret !== undefined && { secret: nginxSecret };
      const options = { portal, logUsernames, limits, onEvent, ...backEnds, ...secret };
      const handlers = new Map([['/nginx/mail', expectAccepted(() => nginxMailHandler(options), 'limits.http')]]);
      return httpProtocol(route(handlers));
    },
    loginCommands: [],
    refusal: 'HTTP/1.1 503 Service Unavailable\r\nConnection: close\r\nContent-Length: 0\r\n\r\n',
  };
};

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

function writeMailEntry(event: Exclude<NginxMailEvent, { kind: 'error' }>, entry: EntryWriter): void {
  writeSessionEntry(event, entry, ({ code, text }) => (code === undefined ? text : `${code} ${text}`));
  entry.end();
}
