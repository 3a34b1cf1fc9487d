export { type ExpressLogin, expressLogin } from './express-login.ts';
