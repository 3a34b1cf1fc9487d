import type { Target } from '../target.ts';
import { pop3Commands, retrieved, strings } from './access.ts';
import { addresses, headerAddresses, xtext } from './addresses.ts';
import { authLines } from './auth-lines.ts';
import { commands } from './commands.ts';
import { headers } from './headers.ts';
import { dots, lines, stuffing } from './lines.ts';
import { fileNames, lineEndings, lockFiles } from './maildir.ts';
import { proxy } from './proxy.ts';
import { replies } from './replies.ts';
import { base64, directives, preparation, tokens } from './sasl.ts';
import { scram } from './scram.ts';
import { urls } from './urls.ts';
import { secrets, userFiles } from './users.ts';

/** All parsers under test. */
export const targets: readonly Target[] = [
  commands,
  addresses,
  xtext,
  headerAddresses,
  lines,
  dots,
  stuffing,
  headers,
  replies,
  base64,
  scram,
  directives,
  tokens,
  preparation,
  proxy,
  urls,
  secrets,
  userFiles,
  lockFiles,
  fileNames,
  lineEndings,
  pop3Commands,
  strings,
  retrieved,
  authLines,
];
