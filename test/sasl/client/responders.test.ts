import { passwordResponders } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';

const tim = { username: 'tim', password: 'secret' };
const names = (authzid?: string) => passwordResponders({ ...tim, authzid }).map(({ mechanism }) => mechanism);

describe('the responders of a password', () => {
  it('are those of every mechanism that rests on one', () => {
    expect(names()).toEqual(
      expect.arrayContaining(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'CRAM-MD5', 'PLAIN', 'LOGIN']),
    );
  });

  it('are only those that can say whom to act as, for who wants to act as another', () => {
    expect(names('ann')).toEqual(expect.arrayContaining(['SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'PLAIN']));
    expect(names('ann')).not.toContain('CRAM-MD5');
    expect(names('ann')).not.toContain('LOGIN');
  });

  it.each(['', 'tim'])('are all of them for who acts as nobody else (%j)', (authzid) => {
    expect(names(authzid)).toEqual(names());
  });

  it('have DIGEST-MD5 among them where the service is named', () => {
    const digestUri = { service: 'smtp', host: 'mail.example.com' };
    const mechanisms = passwordResponders({ ...tim, authzid: 'ann', digestUri }).map(({ mechanism }) => mechanism);
    expect(mechanisms).toContain('DIGEST-MD5');
    expect(names()).not.toContain('DIGEST-MD5');
  });
});
