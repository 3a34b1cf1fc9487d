import { join } from 'node:path';
import { password, username } from '../account.ts';
import { PosternCommand } from '../postern-command.ts';
import type { Cores, RunningServer } from '../processes.ts';
import { ROOT } from '../revision.ts';
import { ScriptServer } from '../script-server.ts';
import { startDovecotAuth } from './dovecot.ts';

/**
 * A server under test. `library` is a server of a few lines on the packages, with the user in
 * memory. `command` is `postern serve` with its throttle, and its log in a file. `dovecot` is
 * Dovecot's auth process with the user in a passwd-file. `basic` is a page of `node:http` for the
 * user who logs in with HTTP Basic, and `bare` the same page for each client.
 */
export type AuthServerName = 'library' | 'command' | 'dovecot' | 'basic' | 'bare';

/** A server under test, at a port or at the path of a UNIX socket. */
export interface AuthServer extends RunningServer {
  readonly path?: string;
}

/** What all servers of one run of the bench share. */
export interface AuthSetting {
  readonly cores: Cores | undefined;
  /** The folder of the sockets and config files. */
  readonly folder: string;
}

/** Starts a server in a process of its own. Resolves when it listens. */
export async function startAuthServer(name: AuthServerName, { cores, folder }: AuthSetting): Promise<AuthServer> {
  switch (name) {
    case 'library':
      return await startScript('library-auth', join(folder, 'library'), cores);
    case 'command':
      return await startCommand(join(folder, 'command'), cores);
    case 'dovecot':
      return await startDovecotAuth(cores?.server);
    case 'basic':
    case 'bare':
      return await ScriptServer.start('http', { cores, args: [name] });
  }
}

async function startScript(script: string, path: string, cores: Cores | undefined): Promise<AuthServer> {
  return atPath(path, await ScriptServer.start(script, { cores, args: [path] }));
}

async function startCommand(path: string, cores: Cores | undefined): Promise<AuthServer> {
  const listen = `dovecot-auth+unix:${path}?mode=600`;
  const args = ['--auth', `memory:${username}:${password}`, '--listen', listen];
  return atPath(path, await PosternCommand.start({ root: ROOT, cores: cores?.server, args }));
}

function atPath(path: string, server: RunningServer): AuthServer {
  return { port: 0, path, pids: server.pids, [Symbol.asyncDispose]: () => server[Symbol.asyncDispose]() };
}
