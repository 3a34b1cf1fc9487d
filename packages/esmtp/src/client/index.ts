export { connectSmtp, type SmtpClientOptions } from './connect-smtp.ts';
export { ehloName } from './ehlo-name.ts';
export { mailCommand, rcptCommand } from './envelope-commands.ts';
export { BadMessage, SmtpClientError, SmtpProtocolError, SmtpReplyError, UnsupportedExtension } from './errors.ts';
export { type OutgoingEnvelope, OutgoingMessage } from './outgoing-message.ts';
export { SmtpClient } from './smtp-client.ts';
export type { DialogueLogger, SmtpDialogue } from './smtp-dialogue.ts';
