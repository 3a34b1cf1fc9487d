export { type LibcryptOptions, libcrypt } from './libcrypt.ts';
