export { type ForwardPath, Mailbox, type ReversePath } from './address.ts';
export {
  type Envelope,
  type MailParameters,
  type Message,
  MessageDelivery,
  type RcptParameters,
  type Recipient,
  type RecipientResult,
  type Trace,
} from './delivery.ts';
export { Rejection, Reply } from './reply.ts';
