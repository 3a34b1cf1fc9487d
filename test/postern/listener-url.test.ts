import { describe, expect, it } from 'vitest';
import { parseListenerUrl } from '../../packages/postern/src/listener-url.ts';

const smtp = { scheme: 'smtp', host: '127.0.0.1', port: 2500 };

describe('the URL of a listener', () => {
  it.each([
    ['smtp://127.0.0.1:2500', { endpoint: smtp }],
    ['smtp://127.0.0.1:2500/', { endpoint: smtp }],
    ['smtps://mail.example.com:465', { endpoint: { scheme: 'smtps', host: 'mail.example.com', port: 465 } }],
    ['smtp://[::1]:0', { endpoint: { scheme: 'smtp', host: '::1', port: 0 } }],
    ['smtp://127.0.0.1:2500?tls=required', { endpoint: smtp, tls: 'required' }],
    ['smtp://127.0.0.1:2500?tls=none&auth=optional', { endpoint: smtp, tls: 'none', auth: 'optional' }],
    [
      'smtps://[2001:db8::1]:465?auth=required',
      { endpoint: { scheme: 'smtps', host: '2001:db8::1', port: 465 }, auth: 'required' },
    ],
    ['smtp://127.0.0.1:2500?service=submission', { endpoint: smtp }],
    ['smtp://127.0.0.1:2500?service=mx&auth=none', { endpoint: smtp, service: 'mx', auth: 'none' }],
    [
      'smtp://127.0.0.1:2500?requireQualifiedDomains=no&addMissingHeaders=yes',
      { endpoint: smtp, requireQualifiedDomains: false, addMissingHeaders: true },
    ],
    ['smtp://127.0.0.1:2500?newlines=reject', { endpoint: smtp, newlines: 'reject' }],
    ['smtp://127.0.0.1:2500?removeBcc=no', { endpoint: smtp, removeBcc: false }],
    ['smtp://127.0.0.1:2500?omitClientFromReceived=yes', { endpoint: smtp, omitClientFromReceived: true }],
    [
      'smtp://127.0.0.1:2500?proxy=10.0.0.0/8,2001:db8::1&xclient=unix',
      { endpoint: smtp, proxy: ['10.0.0.0/8', '2001:db8::1'], xclient: ['unix'] },
    ],
    ['lmtp://127.0.0.1:2400', { endpoint: { scheme: 'lmtp', host: '127.0.0.1', port: 2400 }, service: 'lmtp' }],
    ['lmtps://127.0.0.1:2400', { endpoint: { scheme: 'lmtps', host: '127.0.0.1', port: 2400 }, service: 'lmtp' }],
    ['lmtp+unix:/run/lmtp', { endpoint: { scheme: 'lmtp', path: '/run/lmtp' }, service: 'lmtp' }],
    ['lmtp+unix:/run/lmtp?mode=660', { endpoint: { scheme: 'lmtp', path: '/run/lmtp' }, service: 'lmtp', mode: 0o660 }],
    [
      'lmtp+unix:/run/lmtp?takeover=yes',
      { endpoint: { scheme: 'lmtp', path: '/run/lmtp' }, service: 'lmtp', takeOver: true },
    ],
    ['smtp+unix:here/smtp', { endpoint: { scheme: 'smtp', path: 'here/smtp' } }],
    ['pop3://127.0.0.1:110', { endpoint: { scheme: 'pop3', host: '127.0.0.1', port: 110 }, service: 'pop3' }],
    [
      'pop3s://[::1]:995?proxy=unix',
      { endpoint: { scheme: 'pop3s', host: '::1', port: 995 }, service: 'pop3', proxy: ['unix'] },
    ],
    [
      'imap://127.0.0.1:143?tls=required',
      { endpoint: { scheme: 'imap', host: '127.0.0.1', port: 143 }, service: 'imap', tls: 'required' },
    ],
    ['imaps://127.0.0.1:993', { endpoint: { scheme: 'imaps', host: '127.0.0.1', port: 993 }, service: 'imap' }],
    ['sieve://127.0.0.1:4190', { endpoint: { scheme: 'sieve', host: '127.0.0.1', port: 4190 }, service: 'sieve' }],
    ['pop3+unix:/run/pop3?mode=666', { endpoint: { scheme: 'pop3', path: '/run/pop3' }, service: 'pop3', mode: 0o666 }],
    ['imap+unix:/run/imap', { endpoint: { scheme: 'imap', path: '/run/imap' }, service: 'imap' }],
    ['sieve+unix:/run/sieve', { endpoint: { scheme: 'sieve', path: '/run/sieve' }, service: 'sieve' }],
    ['lmtp+unix:/run/lmtp?group=33', { endpoint: { scheme: 'lmtp', path: '/run/lmtp' }, service: 'lmtp', group: 33 }],
    [
      'dovecot-auth+unix:/run/auth?mode=660&group=postfix',
      {
        endpoint: { scheme: 'dovecot-auth', path: '/run/auth' },
        service: 'dovecot-auth',
        tls: 'none',
        mode: 0o660,
        group: 'postfix',
      },
    ],
    [
      'saslauthd+unix:/run/mux',
      { endpoint: { scheme: 'saslauthd', path: '/run/mux' }, service: 'saslauthd', tls: 'none' },
    ],
    [
      'http://127.0.0.1:9000?smtp=127.0.0.1:587&pop3=[::1]:110',
      {
        endpoint: { scheme: 'http', host: '127.0.0.1', port: 9000 },
        service: 'http',
        tls: 'none',
        nginxBackEnds: { smtp: '127.0.0.1:587', pop3: '[::1]:110' },
      },
    ],
    [
      'dovecot-auth://127.0.0.1:12345',
      {
        endpoint: { scheme: 'dovecot-auth', host: '127.0.0.1', port: 12345 },
        service: 'dovecot-auth',
        tls: 'none',
      },
    ],
  ])('is parsed: %s', (text, expected) => {
    expect(parseListenerUrl(text)).toEqual({ service: 'submission', ...expected });
  });

  it.each([
    ['', 'smtp://HOST:PORT'],
    ['127.0.0.1:2500', 'smtp://HOST:PORT'],
    ['gopher://127.0.0.1:2500', 'smtp://HOST:PORT'],
    ['smtp://127.0.0.1', 'smtp://HOST:PORT'],
    ['pop3://127.0.0.1', /^expected pop3:\/\/HOST:PORT \(an IPv6 address in brackets\), or pop3\+unix:PATH$/],
    ['imaps://127.0.0.1', /^expected imaps:\/\/HOST:PORT \(an IPv6 address in brackets\)$/],
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
    ['smtp://127.0.0.1:25?mode=660', 'not "mode"'],
    ['lmtp://127.0.0.1:24?service=mx', 'not "service"'],
    ['smtp://127.0.0.1:25?service=relay', 'service=submission or service=mx'],
    ['smtp://127.0.0.1:25?newlines=yes', 'newlines=reject or newlines=normalize'],
    ['smtp://127.0.0.1:25?addMissingHeaders=true', 'addMissingHeaders=yes or addMissingHeaders=no'],
    ['smtp://127.0.0.1:25?proxy=somewhere', 'somewhere is neither an address nor a network'],
    ['smtp://127.0.0.1:25?proxy=', 'proxy= and addresses'],
    ['smtp://127.0.0.1:25?xclient=::1&xclient=::2', 'xclient= and addresses, networks or unix, with commas, once'],
    ['lmtp+unix:/run/lmtp?mode=rw', 'mode= and three octal digits'],
    ['lmtp+unix:/run/lmtp?group=', 'group= and the name or number of a group, such as postfix'],
    ['lmtp+unix:/run/lmtp?group=a/b', 'group= and the name or number of a group, such as postfix'],
    ['lmtp://127.0.0.1:24?group=postfix', 'not "group"'],
    ['dovecot-auth://127.0.0.1:12345?tls=required', 'expected proxy= or takeover= after the ?, not "tls"'],
    ['saslauthd://127.0.0.1:12345', 'expected saslauthd+unix:PATH'],
    ['http://127.0.0.1:9000?secret=s3cret', 'secret=file:PATH or secret=env:NAME'],
    ['https+unix:/run/http', 'SCHEME+unix:PATH'],
    ['policy://127.0.0.1:9000?smtp=127.0.0.1:25', 'not "smtp"'],
    ['dovecot-aut://127.0.0.1:12345', 'did you mean "dovecot-auth"?'],
    ['smpt://127.0.0.1:25', 'and the like if wanted; did you mean "smtp"?'],
    ['lmtp://127.0.0.1:25', 'any port but 25 for LMTP'],
    ['pop3://127.0.0.1:110?service=mx', 'expected tls= or proxy= or takeover= after the ?, not "service"'],
    ['pop3s://127.0.0.1:995?auth=none', 'expected tls= or proxy= or takeover= after the ?, not "auth"'],
    ['imap://127.0.0.1:143?xclient=::1', 'not "xclient"'],
    ['imap://127.0.0.1:143?porxy=::1', 'not "porxy"; did you mean "proxy"?'],
    [
      'sieve+unix:/run/sieve?removeBcc=no',
      'expected tls= or proxy= or mode= or group= or takeover= after the ?, not "removeBcc"',
    ],
    ['pop3s://127.0.0.1:995?tls=none', 'no tls=none with pop3s://'],
    ['imaps+unix:/run/imap', 'SCHEME+unix:PATH'],
    ['pop://127.0.0.1:110', 'did you mean "pop3"?'],
    ['sieves://127.0.0.1:4190', 'did you mean "sieve"?'],
    ['imap4://127.0.0.1:143', 'did you mean "imap"?'],
    ['smtps+unix:/run/smtp', 'SCHEME+unix:PATH'],
    ['lmtps://127.0.0.1:24?tls=none', 'no tls=none with lmtps://'],
    ['smtps://127.0.0.1:25?tls=none', 'no tls=none with smtps://'],
  ])('is refused with the expected form: %j', (text, expected) => {
    expect(() => parseListenerUrl(text)).toThrow(expected);
  });
});
