export { type HttpHandler, type HttpProtocolOptions, httpProtocol } from '../over-conversation/http-protocol.ts';
export type { ProxyOptions } from './forwarded-client.ts';
export type { HttpAuthenticator, HttpOutcome } from './http-authenticator.ts';
export { nodeLogin } from './node-login.ts';
