import { decodeBase64, encodeBase64 } from '../../../packages/sasl/src/bytes.ts';
import { byteString, parseDirectives, quote } from '../../../packages/sasl/src/digest-md5/directives.ts';
import {
  formatOAuthBearer,
  formatXOAuth2,
  parseOAuthBearer,
  parseXOAuth2,
} from '../../../packages/sasl/src/oauthbearer/messages.ts';
import { preparePassword } from '../../../packages/sasl/src/password.ts';
import { saslprep } from '../../../packages/sasl/src/saslprep/saslprep.ts';
import { holds, same, type Target } from '../target.ts';

/** Base64 (RFC 4648 §4). */
export const base64: Target = {
  name: 'base64',
  maxPumped: 12_288,
  seeds: ['', 'AGFubgBzZWNyZXQ=', 'YQ==', 'YWI=', 'YWJj', 'biws', '+/+/'],
  tokens: ['=', '==', '====', 'A', 'B', '-', '_', '+', '/'],
  parse: (input) => decodeBase64(input.toString('latin1')),
  run(input) {
    const text = input.toString('latin1');
    const decoded = decodeBase64(text);
    same(decoded !== undefined, STRICT_BASE64.test(text), 'strict base64 is taken, and nothing else');
    const again = decodeBase64(encodeBase64(input));
    holds(again !== undefined && input.equals(again), 'base64 round trip');
    return decoded === undefined ? 'none' : `${decoded.length % 3} ${text.length >> 5}`;
  },
};

/** Directives of DIGEST-MD5 (RFC 2831 §7). */
export const directives: Target = {
  name: 'directives',
  maxPumped: 9_216,
  seeds: [
    'charset=utf-8,username="chris",realm="elwood.innosoft.com",nonce="OA6MG9tEQGm2hh",nc=00000001,cnonce="OA6MHXh6VqTrRk",digest-uri="imap/elwood.innosoft.com",response=d388dad90d4bbd760a152321f2143af7,qop=auth',
    'a=b, c="d\\"\\\\e" ,,f=g',
    'realm="a",realm="b"',
  ],
  tokens: ['="', '",', '\\"', '\\', ',', ' = ', 'username=', '__proto__=', ' \t\r\n'],
  parse: (input) => parseDirectives(byteString(input)),
  run(input) {
    const read = parseDirectives(byteString(input));
    if (read === undefined) return 'none';
    const pairs = [...read].flatMap(([name, values]) => values.map((value) => `${name}=${quote(value)}`));
    const again = parseDirectives(pairs.join(','));
    same(again && [...again], [...read], 'directives round trip');
    return `${read.size} ${Math.max(0, ...[...read.values()].map((values) => values.length))}`;
  },
};

/** The responses of OAUTHBEARER (RFC 7628 §3.1) and XOAUTH2. */
export const tokens: Target = {
  name: 'bearer tokens',
  maxPumped: 9_216,
  seeds: [
    'n,a=user@example.com,\x01host=server.example.com\x01port=143\x01auth=Bearer vF9dft4qmTc2Nvb3RlckBhbHRhdmlzdGEuY29tCg==\x01\x01',
    'y,,\x01auth=\x01\x01',
    'user=someuser@example.com\x01auth=Bearer ya29.vF9dft4qmTc2Nvb3RlckBhdHRhdmlzdGEuY29tCg\x01\x01',
  ],
  tokens: ['\x01', 'n,', 'a=', '=2C', '=3D', '=', 'auth=Bearer ', 'host=', 'port=', 'user=', 'bearer '],
  parse: (input) => [parseOAuthBearer(input.toString('latin1')), parseXOAuth2(input.toString('latin1'))],
  run(input) {
    const text = input.toString();
    const bearer = parseOAuthBearer(text);
    if (bearer !== undefined && bearer.token !== '') {
      same(parseOAuthBearer(formatOAuthBearer(bearer)), bearer, 'OAUTHBEARER round trip');
    }
    const old = parseXOAuth2(text);
    if (old !== undefined && old.token !== '') {
      same(parseXOAuth2(formatXOAuth2(old.authzid ?? '', old.token)), old, 'XOAUTH2 round trip');
    }
    return [bearer, old]
      .map((request) =>
        request === undefined ? 'none' : Object.values(request).map((value) => (value === '' ? '' : typeof value)),
      )
      .join();
  },
};

/** Names and passwords as SASLprep makes them (RFC 4013). */
export const preparation: Target = {
  name: 'saslprep',
  maxPumped: 4_096,
  seeds: [
    'user',
    'I\xc2\xadX',
    '\xc2\xaa',
    '\xe2\x85\xa8',
    '\x07',
    '\xd8\xa71',
    '\xd8\xa7\xd8\xa8',
    '\xc2\xa0a',
    '\xe1\x9a\x80',
    '\xef\xac\x81',
    '\xf0\x9f\x98\x80',
  ],
  tokens: [
    '\xe2\x80\x8b',
    '\xcc\x80',
    '\xcd\x81',
    '\xd7\x90',
    '\xef\xb7\xba',
    '\xe2\x84\xa2',
    '\xea\xb0\x80',
    '\xf0\x90\x8c\xa0',
    '\xee\x80\x80',
    '\xc8\xa1',
  ],
  parse: (input) => saslprep(input.toString(), 'query'),
  run(input) {
    const text = input.toString();
    const [query, stored, password] = [saslprep(text, 'query'), saslprep(text, 'stored'), preparePassword(text)];
    if (stored !== undefined) {
      same(query, stored, 'what may be stored may be asked for');
      // A query may keep code points that Unicode 3.2 did not know, whatever they became later.
      same(stored, stored.normalize('NFKC'), 'a stored text is normalized');
    }
    if (query !== undefined) {
      holds(
        query !== '' && query.isWellFormed() && !/[\0-\x1f\x7f-\x9f]/.test(query),
        'a prepared text has no controls',
      );
    }
    return `${query === undefined} ${stored === undefined} ${password === undefined} ${query === text} ${(query?.length ?? 0) - text.length}`;
  },
};

/** Unused bits are zero, which the last character before the padding shows. */
const STRICT_BASE64 = /^(?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/][AQgw]==|[A-Za-z\d+/]{2}[AEIMQUYcgkosw048]=)?$/;
