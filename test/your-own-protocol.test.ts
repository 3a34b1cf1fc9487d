import { Console } from 'node:console';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { pathToFileURL } from 'node:url';
import type { Protocol } from '@postern/conversation';
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { eventLog, type SessionEvent, type SessionOptions, writeSessionEntry } from '@postern/sasl-profile';
import { dialogue } from '@postern/testing';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';

/** The exports of the page's first example. */
interface Example {
  readonly Notebook: abstract new () => { notes(): readonly string[] };
  readonly notes: (options: Pick<SessionOptions<never, SessionEvent>, 'hostname' | 'portal' | 'onEvent'>) => Protocol;
}

const page = readFileSync(join(import.meta.dirname, '../docs/your-own-protocol.md'), 'utf8');
const [code = '', script = '', server = '', log = ''] = fencesOf(page);
const folder = join(import.meta.dirname, '.readme', crypto.randomUUID());

beforeAll(() => {
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'notes.ts'), code);
  writeFileSync(join(folder, 'server.ts'), server);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('docs/your-own-protocol.md', () => {
  test('builds the protocol in at most 60 lines of at most 120 columns', () => {
    const lines = code.trimEnd().split('\n');
    expect(lines.length).toBeLessThanOrEqual(60);
    expect(lines.filter((line) => line.length > 120)).toEqual([]);
  });

  test('shows a dialogue that the protocol speaks, and its log', async () => {
    const { Notebook, notes } = await importExample<Example>('notes.ts');
    class ShoppingList extends Notebook {
      override notes(): readonly string[] {
        return ['Buy milk.'];
      }
    }
    const realm = new AvatarRealm().provide(Notebook, () => new ShoppingList());
    const portal = new Portal(realm).register(new InMemoryUsernamePasswordDatabaseDontUse({ ann: 'secret' }));
    let printed = '';
    const stream = new Writable({
      write(chunk: Buffer, _encoding, callback) {
        printed += chunk.toString();
        callback();
      },
    });
    const onEvent = eventLog<SessionEvent>(new Console(stream), {}, (event, entries) => {
      writeSessionEntry(event, entries, String);
      entries.end();
    });
    const protocol = notes({ hostname: 'notes.example.com', portal, onEvent });
    await dialogue(protocol, script, { tlsPolicy: 'offered' });
    expect(printed).toBe(log);
  });

  test('starts the protocol on a port', async () => {
    const print = vi.spyOn(console, 'log').mockImplementation(() => {});
    await importExample('server.ts');
    expect(print.mock.calls).toEqual([[1]]);
    print.mockRestore();
  });
});

function fencesOf(text: string): readonly string[] {
  return Array.from(text.matchAll(/^```(?:ts|text)\n(.*?)^```$/gms), ([, fence = '']) => fence);
}

async function importExample<T>(file: string): Promise<T> {
  const { href } = pathToFileURL(join(folder, file));
  return (await import(/* @vite-ignore */ href)) as T;
}
