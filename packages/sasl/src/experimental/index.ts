export { type HtOptions, ht } from './ht/challenger.ts';
export { HashedToken } from './ht/credentials.ts';
export type { HtBinding } from './ht/hashed-token.ts';
export { type HtResponderOptions, htResponder } from './ht/responder.ts';
