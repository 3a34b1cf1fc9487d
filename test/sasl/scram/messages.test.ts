import { describe, expect, it } from 'vitest';
import {
  formatBinding,
  formatClientFirstBare,
  formatGs2Header,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
} from '../../../packages/sasl/src/scram/messages.ts';

const NONCE = 'fyko+d2lbbFgONRv9qkxdawL';

function bytes(message: string | Uint8Array): Uint8Array {
  return typeof message === 'string' ? Buffer.from(message) : message;
}

describe('a client-first-message', () => {
  it('has its parts', () => {
    expect(parseClientFirst(bytes(`n,,n=user,r=${NONCE}`))).toEqual({
      flag: 'n',
      bindingType: undefined,
      gs2Header: 'n,,',
      authzid: undefined,
      username: 'user',
      nonce: NONCE,
      bare: `n=user,r=${NONCE}`,
    });
  });

  it('may name a channel binding and an authorization identity', () => {
    expect(parseClientFirst(bytes(`p=tls-exporter,a=ad=3Dmi=2Cn,n=user,r=${NONCE}`))).toMatchObject({
      flag: 'p=tls-exporter',
      bindingType: 'tls-exporter',
      gs2Header: 'p=tls-exporter,a=ad=3Dmi=2Cn,',
      authzid: 'ad=mi,n',
    });
  });

  it('may have the flag y', () => {
    expect(parseClientFirst(bytes(`y,,n=user,r=${NONCE}`))?.flag).toBe('y');
  });

  it('unescapes = and , and nothing twice', () => {
    expect(parseClientFirst(bytes(`n,,n=a=3D2C=2Cb,r=${NONCE}`))?.username).toBe('a=2C,b');
  });

  it('keeps the message as received, with extensions, escapes and composition', () => {
    const bare = `n=u\u0308=2C,r=${NONCE},x=1,Z=two=3`;
    expect(parseClientFirst(bytes(`n,,${bare}`))).toMatchObject({ bare, username: 'u\u0308,' });
  });

  it.each([
    ['nothing', ''],
    ['the flag alone', 'n'],
    ['no gs2-header', `n=user,r=${NONCE}`],
    ['another flag', `x,,n=user,r=${NONCE}`],
    ['a flag in upper case', `N,,n=user,r=${NONCE}`],
    ['the GS2 header of a mechanism that is not standard', `F,n,,n=user,r=${NONCE}`],
    ['p without a type', `p=,,n=user,r=${NONCE}`],
    ['p alone', `p,,n=user,r=${NONCE}`],
    ['a type with a character that none has', `p=tls_unique,,n=user,r=${NONCE}`],
    ['an empty authorization identity', `n,a=,n=user,r=${NONCE}`],
    ['something else in place of an authorization identity', `n,b=x,n=user,r=${NONCE}`],
    ['an authorization identity with a bad escape', `n,a=a=2D,n=user,r=${NONCE}`],
    ['a mandatory extension', `n,,m=ext,n=user,r=${NONCE}`],
    ['a mandatory extension among the others', `n,,n=user,r=${NONCE},m=ext`],
    ['no user name', `n,,r=${NONCE}`],
    ['an empty user name', `n,,n=,r=${NONCE}`],
    ['an unescaped comma', `n,,n=us,er,r=${NONCE}`],
    ['an unescaped =', `n,,n=us=er,r=${NONCE}`],
    ['an escape in lower case', `n,,n=us=2cer,r=${NONCE}`],
    ['another escape', `n,,n=us=41er,r=${NONCE}`],
    ['a cut escape', `n,,n=user=2,r=${NONCE}`],
    ['a NUL in the user name', `n,,n=us\0er,r=${NONCE}`],
    ['no nonce', 'n,,n=user'],
    ['an empty nonce', 'n,,n=user,r='],
    ['a short nonce', 'n,,n=user,r=1234567'],
    ['a long nonce', `n,,n=user,r=${'1'.repeat(513)}`],
    ['a space in the nonce', 'n,,n=user,r=fyko d2lbbFgONRv9qkxdawL'],
    ['a control character in the nonce', 'n,,n=user,r=fyko\x7fd2lbbFgONRv9qkxdawL'],
    ['a nonce beyond ASCII', 'n,,n=user,r=fyko\u00e4d2lbbFgONRv9qkxdawL'],
    ['the attributes in another order', `n,,r=${NONCE},n=user`],
    ['an attribute twice', `n,,n=user,n=user,r=${NONCE}`],
    ['an attribute of another message as an extension', `n,,n=user,r=${NONCE},p=proof`],
    ['an extension without a name', `n,,n=user,r=${NONCE},=1`],
    ['an extension without a value', `n,,n=user,r=${NONCE},x=`],
    ['an extension with a long name', `n,,n=user,r=${NONCE},xy=1`],
    ['a comma at the end', `n,,n=user,r=${NONCE},`],
    ['a line break at the end', `n,,n=user,r=${NONCE}\n`],
    ['no UTF-8', Buffer.concat([Buffer.from('n,,n='), Uint8Array.of(0xff), Buffer.from(`,r=${NONCE}`)])],
    ['more than 8 KiB', `n,,n=user,r=${NONCE},x=${'1'.repeat(8192)}`],
  ])('is not %s', (_what, message) => {
    expect(parseClientFirst(bytes(message))).toBeUndefined();
  });
});

describe('a server-first-message', () => {
  it('has its parts', () => {
    const message = `r=${NONCE}3rfc,s=QSXCR+Q6sek8bf92,i=4096`;
    expect(parseServerFirst(bytes(message))).toEqual({
      nonce: `${NONCE}3rfc`,
      salt: Buffer.from('QSXCR+Q6sek8bf92', 'base64'),
      iterations: 4096,
      message,
    });
  });

  it('may have extensions', () => {
    expect(parseServerFirst(bytes(`r=${NONCE},s=QSXC,i=1,x=y,d=z`))?.iterations).toBe(1);
  });

  it.each([
    ['nothing', ''],
    ['a mandatory extension', `m=1,r=${NONCE},s=QSXC,i=4096`],
    ['no nonce', 's=QSXC,i=4096'],
    ['no salt', `r=${NONCE},i=4096`],
    ['an empty salt', `r=${NONCE},s=,i=4096`],
    ['a salt that is not base64', `r=${NONCE},s=Q,i=4096`],
    ['a salt with unused bits', `r=${NONCE},s=QR==,i=4096`],
    ['no iteration count', `r=${NONCE},s=QSXC`],
    ['an iteration count of zero', `r=${NONCE},s=QSXC,i=0`],
    ['a leading zero', `r=${NONCE},s=QSXC,i=04096`],
    ['a negative iteration count', `r=${NONCE},s=QSXC,i=-4096`],
    ['a fraction', `r=${NONCE},s=QSXC,i=4096.5`],
    ['an exponent', `r=${NONCE},s=QSXC,i=1e9`],
    ['more digits than a number has', `r=${NONCE},s=QSXC,i=${'9'.repeat(400)}`],
    ['another order', `s=QSXC,r=${NONCE},i=4096`],
    ['an error', 'e=unknown-user'],
  ])('is not %s', (_what, message) => {
    expect(parseServerFirst(bytes(message))).toBeUndefined();
  });
});

describe('a client-final-message', () => {
  it('has its parts', () => {
    expect(parseClientFinal(bytes(`c=biws,r=${NONCE},p=AQID`))).toEqual({
      binding: 'biws',
      nonce: NONCE,
      proof: Buffer.of(1, 2, 3),
      withoutProof: `c=biws,r=${NONCE}`,
    });
  });

  it('includes extensions before the proof in the message without proof', () => {
    expect(parseClientFinal(bytes(`c=biws,r=${NONCE},x=1,y=p=2,p=AQID`))?.withoutProof).toBe(
      `c=biws,r=${NONCE},x=1,y=p=2`,
    );
  });

  it.each([
    ['nothing', ''],
    ['no channel binding', `r=${NONCE},p=AQID`],
    ['an empty channel binding', `c=,r=${NONCE},p=AQID`],
    ['a channel binding that is not base64', `c=bi!s,r=${NONCE},p=AQID`],
    ['no nonce', 'c=biws,p=AQID'],
    ['no proof', `c=biws,r=${NONCE}`],
    ['an empty proof', `c=biws,r=${NONCE},p=`],
    ['a proof that is not base64', `c=biws,r=${NONCE},p=AQI`],
    ['a proof with unused bits', `c=biws,r=${NONCE},p=AR==`],
    ['an extension after the proof', `c=biws,r=${NONCE},p=AQID,x=1`],
    ['two proofs', `c=biws,r=${NONCE},p=AQID,p=AQID`],
    ['a mandatory extension', `c=biws,r=${NONCE},m=1,p=AQID`],
    ['another order', `r=${NONCE},c=biws,p=AQID`],
    ['two messages', `c=biws,r=${NONCE},p=AQIDc=biws,r=${NONCE},p=AQID`],
  ])('is not %s', (_what, message) => {
    expect(parseClientFinal(bytes(message))).toBeUndefined();
  });
});

describe('a server-final-message', () => {
  it('is a signature or an error, with extensions or without', () => {
    expect(parseServerFinal(bytes('v=AQID'))).toEqual({ signature: Buffer.of(1, 2, 3) });
    expect(parseServerFinal(bytes('v=AQID,x=1'))).toEqual({ signature: Buffer.of(1, 2, 3) });
    expect(parseServerFinal(bytes('e=invalid-proof,x=1'))).toEqual({ error: 'invalid-proof' });
  });

  it.each(['', 'v=', 'v=A', 'v=AR==', 'e=', 'm=1,v=AQID', 'v=AQID,m=1', 'v=AQID,e=other-error', 'x=1'])(
    'is not %j',
    (message) => {
      expect(parseServerFinal(bytes(message))).toBeUndefined();
    },
  );
});

describe("a client's message", () => {
  it('escapes = and , in names', () => {
    expect(formatClientFirstBare('a=b,c', NONCE)).toBe(`n=a=3Db=2Cc,r=${NONCE}`);
    expect(formatGs2Header('n', 'a,b')).toBe('n,a=a=2Cb,');
  });

  it('binds the gs2-header and the channel', () => {
    expect(formatBinding('n,,')).toBe('biws');
    expect(formatBinding('y,,')).toBe('eSws');
    expect(formatBinding('p=tls-unique,,', Uint8Array.of(1, 2))).toBe(
      Buffer.from('p=tls-unique,,\x01\x02').toString('base64'),
    );
  });
});
