export { connectSmtp, type SmtpClientOptions } from './connect-smtp.ts';
export { ehloName } from './ehlo-name.ts';
export { mailCommand, rcptCommand } from './envelope-commands.ts';
export { BadMessage, SmtpClientError, SmtpProtocolError, SmtpReplyError, Unsupported } from './errors.ts';
export { type OutgoingEnvelope, OutgoingMessage as Outgoing } from './outgoing.ts';
export { type DialogueLogger as Trace, SmtpClient } from './smtp-client.ts';
