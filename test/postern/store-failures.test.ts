import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { runInProcess, startInProcess } from '../support/in-process.ts';
import { words } from '../support/program.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

describe('a user store that fails during a login', () => {
  it('is one line of the log, which names the store and the operator as the culprit', async () => {
    using folder = temporaryFolder('store-failure');
    const config = join(folder.path, 'postern.config.mjs');
    writeFileSync(
      config,
      `const down = { find: async () => { throw new Error('connection refused'); } };
       const empty = { find: () => undefined };
       export default { listen: ['smtp://127.0.0.1:0'], auth: [empty, down], log: 'pretty' };`,
    );
    await using server = await startInProcess(...words`--config ${config}`);
    const url = `smtp://127.0.0.1:${server.urls[0]?.port}?tls=none`;
    expect(await runInProcess(words`login ${url} --user ann --mechanism PLAIN`, 's3cret\n')).toMatchObject({
      output: expect.stringContaining('454 4.7.0 '),
    });
    await server.said(/ closed /);
    const errors = server.output().match(/^.* error .*$/gm);
    expect(errors).toHaveLength(1);
    expect(errors?.[0]).toContain('culprit=operator');
    expect(errors?.[0]).toContain('the user store auth 2 failed: connection refused"');
  });

  it('names each store if several fail', async () => {
    using folder = temporaryFolder('store-failure');
    const config = join(folder.path, 'postern.config.mjs');
    writeFileSync(
      config,
      `const down = (reason) => ({ find: async () => { throw new Error(reason); } });
       export default { listen: ['smtp://127.0.0.1:0'], auth: [down('refused'), down('no route')], log: 'pretty' };`,
    );
    await using server = await startInProcess(...words`--config ${config}`);
    const url = `smtp://127.0.0.1:${server.urls[0]?.port}?tls=none`;
    await runInProcess(words`login ${url} --user ann --mechanism PLAIN`, 's3cret\n');
    await server.said(/ closed /);
    expect(server.output()).toMatch(/ culprit=operator .*store auth 1 failed: refused.*store auth 2 failed: no route"/);
  });
});
