import { describe, expect, it } from 'vitest';
import { parseListenerUrl } from '../../packages/postern/src/listener-url.ts';

describe('the URL of a listener', () => {
  it.each([
    [
      'smtp://127.0.0.1:2500',
      { endpoint: { scheme: 'smtp', host: '127.0.0.1', port: 2500 }, tls: undefined, auth: undefined },
    ],
    [
      'smtp://127.0.0.1:2500/',
      { endpoint: { scheme: 'smtp', host: '127.0.0.1', port: 2500 }, tls: undefined, auth: undefined },
    ],
    [
      'smtps://mail.example.com:465',
      { endpoint: { scheme: 'smtps', host: 'mail.example.com', port: 465 }, tls: undefined, auth: undefined },
    ],
    ['smtp://[::1]:0', { endpoint: { scheme: 'smtp', host: '::1', port: 0 }, tls: undefined, auth: undefined }],
    [
      'smtp://localhost:587?tls=required',
      { endpoint: { scheme: 'smtp', host: 'localhost', port: 587 }, tls: 'required', auth: undefined },
    ],
    [
      'smtp://0.0.0.0:25?tls=none&auth=optional',
      { endpoint: { scheme: 'smtp', host: '0.0.0.0', port: 25 }, tls: 'none', auth: 'optional' },
    ],
    [
      'smtps://[2001:db8::1]:465?auth=required',
      { endpoint: { scheme: 'smtps', host: '2001:db8::1', port: 465 }, tls: undefined, auth: 'required' },
    ],
  ])('%s is understood', (text, expected) => {
    expect(parseListenerUrl(text)).toEqual(expected);
  });

  it.each([
    ['', 'smtp://HOST:PORT'],
    ['127.0.0.1:2500', 'smtp://HOST:PORT'],
    ['http://127.0.0.1:2500', 'smtp://HOST:PORT'],
    ['smtp://127.0.0.1', 'smtp://HOST:PORT'],
    ['smtp://:2500', 'smtp://HOST:PORT'],
    ['smtp://::1:2500', 'smtp://HOST:PORT'],
    ['smtp://joe@127.0.0.1:2500', 'smtp://HOST:PORT'],
    ['smtp://127.0.0.1:2500/inbox', 'smtp://HOST:PORT'],
    ['smtp://127.0.0.1:2500#x', 'smtp://HOST:PORT'],
    ['smtp://127.0.0.1:99999', 'smtp://HOST:PORT'],
    ['smtp://127.0.0.1:-1', 'smtp://HOST:PORT'],
    ['smtp://[::gg]:25', 'smtp://HOST:PORT'],
    ['smtp://[1:2]:25', 'smtp://HOST:PORT'],
    ['smtp://127.0.0.1:25?tls=maybe', 'tls=required or tls=none'],
    ['smtp://127.0.0.1:25?tls=none&tls=required', 'tls=required or tls=none, once'],
    ['smtp://127.0.0.1:25?auth=', 'auth=required or auth=optional'],
    ['smtp://127.0.0.1:25?colour=red', 'not "colour"'],
    ['smtps://127.0.0.1:25?tls=none', 'no tls=none with smtps://'],
  ])('%j is refused, and what was expected is said', (text, expected) => {
    expect(() => parseListenerUrl(text)).toThrow(expected);
  });
});
