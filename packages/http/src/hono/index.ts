export { type HonoLoginOptions, honoLogin } from './hono-login.ts';
