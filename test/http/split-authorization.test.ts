import { splitAuthorization } from '@postern/http';
import { expect, test } from 'vitest';

test.each([
  ['Basic QWxhZGRpbg==', { scheme: 'basic', credentials: 'QWxhZGRpbg==' }],
  ['digest  username="a, b", nc=1 ', { scheme: 'digest', credentials: 'username="a, b", nc=1' }],
  ['Negotiate', { scheme: 'negotiate', credentials: '' }],
  ['', undefined],
  [' Basic x', undefined],
  ['Ba,sic x', undefined],
])('splits %j', (field, expected) => {
  expect(splitAuthorization(field)).toEqual(expected);
});
