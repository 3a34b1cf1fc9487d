export { connectSmtp, type SmtpClientOptions } from './connect-smtp.ts';
export { ehloName } from './ehlo-name.ts';
export { mailCommand, rcptCommand } from './envelope-commands.ts';
export { BadMessage, SmtpClientError, SmtpRefusal, SmtpTrouble, Unsupported } from './errors.ts';
export { Outgoing, type OutgoingEnvelope } from './outgoing.ts';
export { SmtpClient, type Trace } from './smtp-client.ts';
