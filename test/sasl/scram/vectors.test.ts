import { encodeUtf8, type ScramHash, ScramSecret, scram } from '@postern/sasl';
import { scramResponder } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { said, scripted, someMind } from '../exchange.ts';

/** An exchange as its RFC prints it, with user `user`, password `pencil` and the derived keys. */
interface Vector {
  readonly rfc: string;
  readonly hash: ScramHash;
  readonly clientNonce: string;
  readonly serverNonce: string;
  readonly clientFirst: string;
  readonly serverFirst: string;
  readonly clientFinal: string;
  readonly serverFinal: string;
  readonly record: string;
}

const VECTORS: readonly Vector[] = [
  {
    rfc: 'RFC 5802 §5',
    hash: 'sha1',
    clientNonce: 'fyko+d2lbbFgONRv9qkxdawL',
    serverNonce: '3rfcNHYJY1ZVvWVs7j',
    clientFirst: 'n,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    serverFirst: 'r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,s=QSXCR+Q6sek8bf92,i=4096',
    clientFinal: 'c=biws,r=fyko+d2lbbFgONRv9qkxdawL3rfcNHYJY1ZVvWVs7j,p=v0X8v3Bz2T0CJGbJQyF0X+HI4Ts=',
    serverFinal: 'v=rmF9pqV8S7suAoZWja4dJRkFsKQ=',
    record: 'SCRAM-SHA-1$4096:QSXCR+Q6sek8bf92$6dlGYMOdZcOPutkcNY8U2g7vK9Y=:D+CSWLOshSulAsxiupA+qs2/fTE=',
  },
  {
    rfc: 'RFC 7677 §3',
    hash: 'sha256',
    clientNonce: 'rOprNGfwEbeRWgbNEkqO',
    serverNonce: '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
    clientFirst: 'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    serverFirst: 'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    clientFinal:
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    serverFinal: 'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    record:
      'SCRAM-SHA-256$4096:W22ZaJ0SNY7soEsUEjb6gQ==$WG5d8oPm3OtcPnkdi4Uo7BkeZkBFzpcXkuLmtbsT4qY=:wfPLwcE6nTWhTAmQ7tl2KeoiWGPlZqQxSrmfPwDl2dU=',
  },
];

describe.each(VECTORS)('$rfc', (vector) => {
  const { hash, clientFirst, serverFirst, clientFinal, serverFinal, record } = vector;

  it('has the messages of the challenger', async () => {
    const secret = ScramSecret.parse(record) as ScramSecret;
    const ask = scripted(clientFinal, '');
    const challenger = scram({ hash, nonce: () => vector.serverNonce });
    const credentials = await challenger.challenge(ask, encodeUtf8(clientFirst), someMind());
    expect(credentials.username).toBe('user');
    expect(credentials.authzid).toBeUndefined();
    expect(await credentials.verify(secret)).toBe(true);
    await credentials.accepted();
    expect(ask.asked).toEqual([serverFirst, serverFinal]);
  });

  it('has the messages of the responder', async () => {
    const responder = scramResponder({ hash, username: 'user', password: 'pencil', nonce: () => vector.clientNonce });
    expect(await said(responder, [serverFirst, serverFinal, undefined])).toEqual([clientFirst, clientFinal, '']);
  });

  it('has the keys of the password', async () => {
    const { salt, iterations } = ScramSecret.parse(record) as ScramSecret;
    const secret = await ScramSecret.derive('pencil', { hash, salt, iterations });
    expect(secret.format('rfc5803')).toBe(record);
  });
});
