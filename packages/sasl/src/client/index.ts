export { AuthenticationFailure, SaslError, SaslFailure } from './errors.ts';
export type { Channel, Responder, Say } from './responder.ts';
