import type { HttpHandler } from '../over-conversation/http-protocol.ts';
import { type NginxMailOptions, nginxMail } from './nginx-mail.ts';

/**
 * Returns {@link nginxMail} as a handler of `node:http`, for `httpProtocol` and `createServer`.
 * nginx reaches it by:
 *
 * ```text
 * mail {
 *   auth_http        127.0.0.1:9000/nginx/mail;
 *   auth_http_header X-Auth-Key s3cret;
 *   xclient          on;
 * }
 * ```
 *
 * @throws TypeError and RangeError as {@link nginxMail} does.
 */
export function nginxMailHandler(options: NginxMailOptions): HttpHandler {
  const answer = nginxMail(options);
  return async (request, response) => {
    const disconnect = new AbortController();
    response.once('close', () => disconnect.abort());
    // nginx sends no body. The server stops others at its limit.
    request.resume();
    const { headers, status } = await answer({ headers: request.rawHeaders, signal: disconnect.signal });
    response.writeHead(status, [...headers].flat()).end();
  };
}
