import { describe, expect, it } from 'vitest';
import { firstMessage } from '../../packages/postern/src/first-message.ts';
import { parseListenerUrl } from '../../packages/postern/src/listener-url.ts';

describe('how to send a first message', () => {
  it.each([
    ['smtp://127.0.0.1:0', 'offered', 'curl -sS smtp://127.0.0.1:2500 --user '],
    ['smtp://0.0.0.0:0', 'none', 'curl -sS smtp://127.0.0.1:2500 --user '],
    ['smtp://[::]:0', 'none', 'curl -sS smtp://[::1]:2500 --user '],
    ['smtp://localhost:0', 'required', 'curl -sS smtp://localhost:2500 --ssl-reqd --insecure --user '],
    ['smtps://127.0.0.1:0', 'implicit', 'curl -sS smtps://127.0.0.1:2500 --insecure --user '],
  ] as const)('to %s with TLS %s is one line for a shell', (url, tls, expected) => {
    const text = firstMessage({ ...parseListenerUrl(url), tls }, 2500, { username: 'guest', password: 'x-_Y' });
    expect(text).toContain(`| ${expected}'guest:x-_Y' --mail-from`);
    expect(text.split('\n')).toHaveLength(3);
  });
});
