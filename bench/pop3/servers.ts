import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { password, username } from '../account.ts';
import { PosternCommand } from '../postern-command.ts';
import type { Cores, RunningServer } from '../processes.ts';
import { ROOT } from '../revision.ts';
import { ScriptServer } from '../script-server.ts';

/**
 * A server under test. `command` is `postern serve`; `library` is a server of a few lines on the
 * packages, and `memory` the same with mailboxes in memory. The bare ones are responders that know
 * neither users nor mailboxes.
 */
export type Pop3ServerName = 'command' | 'library' | 'memory' | 'bare' | 'bare-file' | 'dovecot';

export const POP3_SERVERS: readonly Pop3ServerName[] = ['command', 'library', 'memory', 'bare', 'bare-file', 'dovecot'];

/** What all servers of one run of the bench share. */
export interface Pop3Setting {
  readonly cores: Cores | undefined;
  /** The folder of all Maildirs and config files. */
  readonly folder: string;
  /** The folder where the servers leave CPU profiles. */
  readonly profile: string | undefined;
}

/** What one work needs of a server. */
export interface Pop3Serving extends Omit<Pop3Setting, 'folder'> {
  /** The folder with the Maildirs of the users: see {@link mailboxFolder}. */
  readonly mailboxes: string;
  /** The id of the work, which the profiles are named after. */
  readonly work: string;
  /** The messages of each mailbox. */
  readonly mailbox: { readonly count: number; readonly octets: number };
}

/** Starts a server in a process of its own. Resolves when it listens. */
export async function startPop3Server(name: Pop3ServerName, serving: Pop3Serving): Promise<RunningServer> {
  const { cores, mailboxes, profile, work, mailbox } = serving;
  const nodeOptions =
    profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${work}-${name}-${Date.now()}.cpuprofile`];
  switch (name) {
    case 'command':
      return await PosternCommand.start({
        root: ROOT,
        cores: cores?.server,
        nodeOptions,
        args: ['--config', writeConfig(mailboxes)],
        collects: true,
      });
    case 'library':
      return await ScriptServer.start('library-pop3', { cores, nodeOptions, args: [mailboxes] });
    case 'memory':
      return await ScriptServer.start('library-pop3', {
        cores,
        nodeOptions,
        args: ['memory', String(mailbox.count), String(mailbox.octets)],
      });
    default:
      return await ScriptServer.start('bare-pop3', {
        cores,
        nodeOptions,
        args: [name === 'bare' ? 'buffer' : 'file', join(mailboxFolder(mailboxes, 0), 'cur')],
      });
  }
}

/**
 * Writes a config file beside the Maildirs. One checker knows {@link USERS} users; the limits are
 * those that would refuse the connections of the load generator. All else is the default.
 */
function writeConfig(mailboxes: string): string {
  const file = join(mailboxes, 'postern.config.mjs');
  const cred = pathToFileURL(join(ROOT, 'packages/cred/dist/index.js')).href;
  writeFileSync(
    file,
    `import { InMemoryUsernamePasswordDatabaseDontUse } from '${cred}';
const names = Array.from({ length: ${USERS} }, (_, index) => '${username}' + String(index).padStart(7, '0'));
export default {
  hostname: '${HOSTNAME}',
  listen: ['pop3://127.0.0.1:0'],
  auth: [new InMemoryUsernamePasswordDatabaseDontUse(names.map((name) => [name, '${password}']))],
  deliver: 'discard',
  mailboxes: 'maildir:${mailboxes}',
  limits: { maxConnections: 20_000, maxConnectionsPerClient: 20_000 },
};
`,
  );
  return file;
}

/** Returns the Maildir of a user, whose name is not an address: `joe0000007@bench.example.com`. */
export function mailboxFolder(mailboxes: string, index: number): string {
  return join(mailboxes, `${userName(index)}@${HOSTNAME}`);
}

/** Returns the name of a user as the load generator writes it: `joe0000007`. */
export function userName(index: number): string {
  return username + String(index).padStart(7, '0');
}

/** The name of the servers, and the domain of the addresses whose mail the users read. */
export const HOSTNAME = 'bench.example.com';

/** The users of each server. */
export const USERS = 5_000;
