export { type HttpHandler, type HttpProtocolOptions, httpProtocol } from '../over-conversation/http-protocol.ts';
