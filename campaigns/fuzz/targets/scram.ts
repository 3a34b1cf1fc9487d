import { encodeBase64 } from '../../../packages/sasl/src/bytes.ts';
import {
  escapeName,
  formatClientFinal,
  formatClientFirstBare,
  formatGs2Header,
  formatServerFinal,
  formatServerFirst,
  parseClientFinal,
  parseClientFirst,
  parseServerFinal,
  parseServerFirst,
  unescapeName,
} from '../../../packages/sasl/src/scram/messages.ts';
import { holds, same, type Target } from '../target.ts';

/** The four messages of SCRAM (RFC 5802 §7), each read as all four. */
export const scram: Target = {
  name: 'SCRAM',
  maxPumped: 9_216,
  seeds: [
    'n,,n=user,r=rOprNGfwEbeRWgbNEkqO',
    'y,a=other=2Cx,n=us=3Der,r=fyko+d2lbbFgONRv9qkxdawL,x=ext',
    'p=tls-exporter,,n=user,r=fyko+d2lbbFgONRv9qkxdawL',
    'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    'e=invalid-proof',
  ],
  tokens: [
    'n,,',
    'y,',
    'p=',
    'a=',
    ',n=',
    ',r=',
    ',m=x',
    ',x=y',
    '=2C',
    '=3D',
    '=2c',
    'c=biws',
    ',p=',
    'v=',
    'e=',
    ',i=4096',
    ',s=',
    '==',
  ],
  parse: (input) => [
    parseClientFirst(input),
    parseServerFirst(input),
    parseClientFinal(input),
    parseServerFinal(input),
  ],
  run(input) {
    const text = input.toString();
    return [
      first(input, text),
      serverFirst(input, text),
      final(input, text),
      serverFinal(input, text),
      names(text),
    ].join();
  },
};

function first(input: Buffer, text: string): string {
  const message = parseClientFirst(input);
  if (message === undefined) return '';
  const { gs2Header, bare, flag, authzid, username, nonce, bindingType } = message;
  same(gs2Header + bare, text, 'a client-first-message is its header and its bare part');
  same(formatGs2Header(flag, authzid), gs2Header, 'gs2-header round trip');
  holds(bare.startsWith(formatClientFirstBare(username, nonce)), 'client-first-message-bare round trip');
  return `1${flag[0]}${authzid === undefined}${bindingType === undefined}${username.length === text.length}`;
}

function serverFirst(input: Buffer, text: string): string {
  const message = parseServerFirst(input);
  if (message === undefined) return '';
  const { nonce, salt, iterations } = message;
  holds(text.startsWith(formatServerFirst(nonce, encodeBase64(salt), iterations)), 'server-first-message round trip');
  return `2${salt.length % 3}`;
}

function final(input: Buffer, text: string): string {
  const message = parseClientFinal(input);
  if (message === undefined) return '';
  same(formatClientFinal(message.withoutProof, message.proof), text, 'client-final-message round trip');
  return `3${message.proof.length % 3}`;
}

function serverFinal(input: Buffer, text: string): string {
  const message = parseServerFinal(input);
  if (message === undefined) return '';
  if ('error' in message) return '4e';
  holds(text.startsWith(formatServerFinal(encodeBase64(message.signature))), 'server-final-message round trip');
  return '4v';
}

function names(text: string): string {
  same(unescapeName(escapeName(text)), text, 'saslname round trip');
  const name = unescapeName(text);
  return name === undefined ? 'none' : `${name.length === text.length}`;
}
