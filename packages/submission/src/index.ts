export type { DeliverFunction, SubmittedMessage } from './deliver.ts';
export type { SubmissionServer } from './server.ts';
export { type DeliveryChoice, type SubmissionOptions, submission } from './submission.ts';
export type { CheckPassword, Users } from './users.ts';
