export type { DeliverFunction, SubmittedMessage } from './deliver.ts';
export type { DeliveryChoice, SubmissionOptions } from './options.ts';
export type { SubmissionServer } from './server.ts';
export { submission } from './submission.ts';
export type { CheckPassword, Users } from './users.ts';
