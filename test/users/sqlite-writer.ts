import { once } from 'node:events';
import { writeSync } from 'node:fs';
import { argv, stdin } from 'node:process';
import { UserExists, type UserRecord } from '@postern/users';
import { SqliteUserStore } from '@postern/users/sqlite';

/**
 * A process that writes to a user database: `PATH PREFIX MODE COUNT`. It reports `ready`, waits for
 * a line, and then reports the number of users that are stored. An error is its last report.
 * Node 22 runs this file as it is, so it has no `using`.
 */
const [path = '', prefix = '', mode = '', count = '0'] = argv.slice(2);
const store = await SqliteUserStore.open(path);
report('ready');
await once(stdin, 'data');
try {
  if (mode === 'add') await addEach();
  if (mode === 'addAll') await store.addAll(users(), report);
  if (mode === 'count') await addAndCount();
} catch (error) {
  report(String(error));
}
stdin.destroy();
await store[Symbol.asyncDispose]();

async function addEach(): Promise<void> {
  let stored = 0;
  for (const user of users()) {
    await store.add(user);
    report(++stored);
  }
}

/** Adds users, and counts them in a user that all processes share. */
async function addAndCount(): Promise<void> {
  await store.add({ name: 'counter', secrets: [] }).catch((error: unknown) => {
    if (!(error instanceof UserExists)) throw error;
  });
  let stored = 0;
  for (const user of users()) {
    await store.add(user);
    await store.update('counter', ({ totp, ...counter }) => ({
      ...counter,
      totp: { secret: 'JBSWY3DPEHPK3PXP', lastStep: (totp?.lastStep ?? 0) + 1 },
    }));
    report(++stored);
  }
}

function* users(): Generator<UserRecord> {
  for (let n = 0; n < Number(count); n++) yield { name: `${prefix}${n}`, secrets: [`{PLAIN}${'x'.repeat(200)}`] };
}

/** Writes at once: a report must not wait in memory when the process is killed. */
function report(line: string | number): void {
  writeSync(1, `${line}\n`);
}
