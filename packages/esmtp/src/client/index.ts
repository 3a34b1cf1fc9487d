export { connectSmtp, type SmtpClientOptions } from './connect-smtp.ts';
export { ehloName } from './ehlo-name.ts';
export { mailCommand, rcptCommand } from './envelope-commands.ts';
export { BadMessage, SmtpClientError, SmtpProtocolError, SmtpReplyError, UnsupportedExtension } from './errors.ts';
export { type OutgoingEnvelope, OutgoingMessage } from './outgoing-message.ts';
export { type DialogueLogger, SmtpClient } from './smtp-client.ts';
