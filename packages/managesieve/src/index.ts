export { SieveBackEnd } from './back-end.ts';
export { type ManageSieveEvent, type ManageSieveOptions, managesieve } from './managesieve.ts';
