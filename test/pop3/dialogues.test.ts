import { createHash } from 'node:crypto';
import { join } from 'node:path';
import { AvatarRealm, InMemoryUsernamePasswordDatabaseDontUse, Portal } from '@postern/cred';
import { Mailbox } from '@postern/pop3';
import { cramMd5, plain } from '@postern/sasl';
import { dialogueFiles, type Slicing } from '@postern/testing';
import { describe, expect, test } from 'vitest';
import { RecordingMailbox, Server } from './server.ts';

const files = dialogueFiles(join(import.meta.dirname, '..', 'dialogues'), '.pop3');

describe.each(files)('$name.pop3', ({ script }) => {
  test.each<Slicing>(['whole', 'octets', { seed: 1 }])(
    'is the dialogue of the server, with chunks %j',
    async (chunks) => {
      const users = new InMemoryUsernamePasswordDatabaseDontUse({ mrose: 'tanstaaf' });
      const messages = [120, 200].map((octets) => `${'x'.repeat(octets - 2)}\r\n`);
      const realm = new AvatarRealm().provide(Mailbox, () => new RecordingMailbox(messages));
      const challengers = [cramMd5({ hostname: 'pop.example.com' }), plain()];
      const server = new Server({ portal: new Portal(realm).register(users), challengers });
      const digest = (captured: ReadonlyMap<string, string>): string =>
        createHash('md5')
          .update(`${captured.get('stamp')}tanstaaf`)
          .digest('hex');
      expect(await server.play(script, { chunks, values: { digest } })).toContain('S: <closed>');
    },
  );
});
