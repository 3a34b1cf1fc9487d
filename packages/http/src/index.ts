export { type Authorization, splitAuthorization } from './split-authorization.ts';
