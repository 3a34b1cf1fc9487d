import { readFile } from 'node:fs/promises';

/**
 * Resolves to the number of a group, which is a name or a number: from `/etc/group`, else from
 * `getent`, which also asks LDAP and other services of the machine.
 *
 * @throws Error that names the group if the machine has no such group.
 */
export async function groupId(group: number | string): Promise<number> {
  if (typeof group === 'number') return group;
  const id = idIn(await readFile(GROUP_FILE, 'utf8').catch(() => ''), group) ?? idIn(await getent(group), group);
  if (id !== undefined) return id;
  // As with chown(1), a name of digits comes before a number.
  if (/^\d{1,10}$/.test(group)) return Number(group);
  throw new Error(
    `there is no group ${JSON.stringify(group)}; expected the name or the number of a group of this machine`,
  );
}

/** Returns the number of the group in lines of group(5): `name:password:number:members`. */
function idIn(lines: string, group: string): number | undefined {
  for (const line of lines.split('\n')) {
    const [name, , id = ''] = line.split(':');
    if (name === group && /^\d+$/.test(id)) return Number(id);
  }
  return undefined;
}

/** Resolves to the line of the group; to nothing if there is no such group, or no `getent`. */
async function getent(group: string): Promise<string> {
  // Few servers need it, and it loads slowly.
  const { execFile } = await import('node:child_process');
  const { promise, resolve } = Promise.withResolvers<string>();
  execFile('getent', ['group', '--', group], { timeout: GETENT_TIMEOUT_MS }, (_error, stdout) => resolve(stdout));
  return await promise;
}

const GROUP_FILE = '/etc/group';
/** A directory service may not answer. */
const GETENT_TIMEOUT_MS = 5_000;
