import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cramMd5, login, plain } from '@postern/sasl';
import type { Slicing } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { Server } from './server.ts';

const directory = join(import.meta.dirname, '..', 'dialogues');
const files = readdirSync(directory).filter((name) => name.endsWith('.smtp'));

/** Parses a first line such as `# server: tls=offered authentication=optional anonymous`. */
function facts(script: string): ReadonlyMap<string, string> {
  const words = /^# server: (.*)$/m.exec(script)?.[1]?.split(' ') ?? [];
  return new Map(words.map((word) => [word.split('=')[0] ?? '', word.split('=')[1] ?? '']));
}

describe.each(files)('%s', (name) => {
  const script = readFileSync(join(directory, name), 'utf8');
  const server = facts(script);

  const chunksOf: Slicing[] = server.has('chunks') ? ['whole'] : ['whole', 'octets', { seed: 1 }, { seed: 2 }];

  test.each(chunksOf)('is what is said, with chunks %j', async (chunks) => {
    const challengers = [cramMd5({ hostname: 'mx.example.com' }), plain(), login()];
    const played = new Server({
      challengers,
      allowAnonymous: server.has('anonymous'),
      authentication: server.get('authentication') === 'optional' ? 'optional' : 'required',
    }).play(script, { chunks, tlsPolicy: (server.get('tls') as 'offered' | 'required' | undefined) ?? 'implicit' });
    expect(await played).toContain('S: <closed>');
  });
});
