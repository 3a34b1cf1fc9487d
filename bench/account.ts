import { createHash, createHmac, pbkdf2Sync } from 'node:crypto';

/** The one user of every server here. */
export const username = 'joe';
export const password = 's3cret';

/** What a server keeps for SCRAM-SHA-256 (RFC 5802 §3). */
export const salt = Buffer.from('W22ZaJ0SNY7soEsUEjb6gQ==', 'base64');
export const iterations = 4096;
const saltedPassword = pbkdf2Sync(password, salt, iterations, 32, 'sha256');
const clientKey = createHmac('sha256', saltedPassword).update('Client Key').digest();
export const storedKey = createHash('sha256').update(clientKey).digest();
export const serverKey = createHmac('sha256', saltedPassword).update('Server Key').digest();
