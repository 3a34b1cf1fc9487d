import { PeerGone, TimedOut } from '@postern/conversation';
import { describe, expect, it } from 'vitest';
import { explainLoginFailure } from '../../packages/postern/src/login-failure.ts';

describe('why a login failed', () => {
  it('is what the first cause says, too', () => {
    const error = new PeerGone('the TLS handshake failed', { cause: new Error('certificate has expired') });
    expect(explainLoginFailure(error)).toBe('the TLS handshake failed: certificate has expired');
  });

  it('is said once, although an error repeats its cause', () => {
    expect(explainLoginFailure(new PeerGone('no route', { cause: new Error('no route') }))).toBe('no route');
  });

  it('has a hint for a server that says nothing', () => {
    expect(explainLoginFailure(new TimedOut())).toContain('smtps://');
  });

  it('obeys no terminal', () => {
    expect(explainLoginFailure(new Error('\u001b[2J'))).toBe('\\x1b[2J');
  });
});
