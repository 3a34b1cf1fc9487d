export type { MailProtocol, MailReply } from './mail-replies.ts';
export type { NginxMailRequest } from './mail-request.ts';
export { NginxBackEnd, type NginxBackEndAccount } from './nginx-back-end.ts';
export {
  type NginxMailAnswer,
  type NginxMailEvent,
  type NginxMailLimits,
  type NginxMailOptions,
  nginxMail,
} from './nginx-mail.ts';
export { nginxMailHandler } from './nginx-mail-handler.ts';
export { type NginxRequestOptions, nginxRequestHandler } from './nginx-request-handler.ts';
