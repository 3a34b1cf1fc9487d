export { connectSmtp, type SmtpClientOptions } from './connect-smtp.ts';
export { SmtpClientError, SmtpRefusal, SmtpTrouble } from './errors.ts';
export type { Outgoing, OutgoingEnvelope } from './outgoing.ts';
export { SmtpClient, type Trace } from './smtp-client.ts';
