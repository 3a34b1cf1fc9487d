import { passwordResponders } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';

const tim = { username: 'tim', password: 'secret' };
const names = (authzid?: string) => passwordResponders({ ...tim, authzid }).map(({ mechanism }) => mechanism);

describe('passwordResponders', () => {
  it('returns a responder for each mechanism that rests on a password', () => {
    expect(names()).toEqual(
      expect.arrayContaining(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN']),
    );
  });

  it('omits CRAM-MD5 and LOGIN for an authorization identity', () => {
    expect(names('ann')).toEqual(expect.arrayContaining(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'PLAIN']));
    expect(names('ann')).not.toContain('CRAM-MD5');
    expect(names('ann')).not.toContain('LOGIN');
  });

  it.each(['', 'tim'])("omits none for the user's own authorization identity (%j)", (authzid) => {
    expect(names(authzid)).toEqual(names());
  });

  it('includes DIGEST-MD5 if the service is named', () => {
    const digestUri = { service: 'smtp', host: 'mail.example.com' };
    const mechanisms = passwordResponders({ ...tim, authzid: 'ann', digestUri }).map(({ mechanism }) => mechanism);
    expect(mechanisms).toContain('DIGEST-MD5');
    expect(names()).not.toContain('DIGEST-MD5');
  });
});
