import type { MailParameters, ReversePath } from '@postern/esmtp';

/** What MAIL says. */
export interface Sender {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
}
