export { type FastifyLogin, fastifyLogin } from './fastify-login.ts';
