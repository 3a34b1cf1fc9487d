import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { CertificateFiles } from './certificate.ts';
import { PosternCommand } from './postern-command.ts';
import type { Cores, RunningServer } from './processes.ts';
import { ROOT } from './revision.ts';
import { ScriptServer } from './script-server.ts';
import type { ServerName } from './server-names.ts';
import type { Work } from './works.ts';

/** What all servers of one run of the bench share. */
export interface Setting {
  readonly cores: Cores | undefined;
  readonly certificate: CertificateFiles;
  /** The root of the copy of the other revision. */
  readonly before: string | undefined;
  /** The folder where the servers leave CPU profiles. */
  readonly profile: string | undefined;
}

/** Starts a server in a process of its own, for one work: with TLS if the work needs TLS. */
export async function startServer(
  name: ServerName,
  work: Pick<Work, 'id' | 'tls'>,
  { cores, certificate, before, profile }: Setting,
): Promise<RunningServer> {
  const root = name.startsWith('before') ? before : ROOT;
  if (root === undefined) throw new Error(`${name} needs --against`);
  const nodeOptions =
    profile === undefined
      ? []
      : ['--cpu-prof', `--cpu-prof-dir=${profile}`, `--cpu-prof-name=${work.id}-${name}-${Date.now()}.cpuprofile`];
  const tls = work.tls !== undefined;
  switch (name) {
    case 'command':
    case 'before':
      return await PosternCommand.start({
        root,
        cores: cores?.server,
        nodeOptions,
        certificate: tls ? certificate : undefined,
      });
    case 'library':
    case 'before-library':
      return await ScriptServer.start(libraryOf(root), { cores, nodeOptions });
    default:
      return await ScriptServer.start(name, {
        cores,
        nodeOptions,
        args: tls ? [certificate.cert, certificate.key] : [],
      });
  }
}

/** The server's file has another name in old revisions. */
function libraryOf(root: string): string {
  const file = join(root, 'bench/servers/library.ts');
  return existsSync(file) ? file : join(root, 'bench/servers/postern.ts');
}
