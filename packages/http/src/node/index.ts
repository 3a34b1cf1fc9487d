export { type HttpHandler, type HttpProtocolOptions, httpProtocol } from '../over-conversation/http-protocol.ts';
export type { HttpAuthenticator, HttpFields, HttpOutcome, HttpRequest } from './http-authenticator.ts';
export { nodeLogin } from './node-login.ts';
export type { RequestMindOptions } from './request-mind.ts';
