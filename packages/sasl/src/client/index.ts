export { type AnonymousResponderOptions, anonymousResponder } from '../anonymous/responder.ts';
export { cramMd5Responder } from '../cram-md5/responder.ts';
export { externalResponder } from '../external/responder.ts';
export { loginResponder } from '../login/responder.ts';
export { plainResponder } from '../plain/responder.ts';
export { AuthenticationFailure, SaslError, SaslFailure } from './errors.ts';
export type { ActAs, Channel, Responder, Say, UserPassword } from './responder.ts';
