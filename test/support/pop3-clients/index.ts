import { curl } from './curl.ts';
import { fetchmail } from './fetchmail.ts';
import { getmail } from './getmail.ts';
import { javaMail } from './java-mail.ts';
import { mpop } from './mpop.ts';
import type { Pop3Client } from './pop3-client.ts';
import { netPop3, poplib } from './scripts.ts';

export {
  POP3_CHANNELS,
  type Pop3Account,
  type Pop3Channel,
  type Pop3Client,
  type RetrieveOptions,
} from './pop3-client.ts';

/** All POP3 clients of other projects that the tests run. */
export const POP3_CLIENTS: readonly Pop3Client[] = [curl, fetchmail, mpop, getmail, poplib, netPop3, javaMail];
