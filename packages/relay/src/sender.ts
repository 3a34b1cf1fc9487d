import type { MailParameters, ReversePath } from '@postern/esmtp';

/** The content of MAIL. */
export interface Sender {
  readonly reversePath: ReversePath;
  readonly parameters: MailParameters;
}
