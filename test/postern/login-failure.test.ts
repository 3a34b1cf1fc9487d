import { PeerGone, TimedOut } from '@postern/conversation';
import { describe, expect, it } from 'vitest';
import { explainLoginFailure } from '../../packages/postern/src/login-failure.ts';

describe('the explanation of a failed login', () => {
  it('includes the message of the first cause', () => {
    const error = new PeerGone('the TLS handshake failed', { cause: new Error('certificate has expired') });
    expect(explainLoginFailure(error)).toBe('the TLS handshake failed: certificate has expired');
  });

  it('has a message once, although an error repeats its cause', () => {
    expect(explainLoginFailure(new PeerGone('no route', { cause: new Error('no route') }))).toBe('no route');
  });

  it('has a hint for a silent server', () => {
    expect(explainLoginFailure(new TimedOut())).toContain('smtps://');
  });

  it('contains no control sequence for a terminal', () => {
    expect(explainLoginFailure(new Error('\u001b[2J'))).toBe('\\x1b[2J');
  });
});
