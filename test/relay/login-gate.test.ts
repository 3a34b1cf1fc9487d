import { systemClock } from '@postern/core';
import { anonymousResponder, externalResponder, passwordResponders, type Responder } from '@postern/sasl/client';
import { expect, it } from 'vitest';
import { LoginGate } from '../../packages/relay/src/login-gate.ts';

const RESPONDERS: readonly Responder[] = [
  ...passwordResponders({ username: 'joe', password: 's3cret' }),
  externalResponder(),
  anonymousResponder(),
];

it.each(RESPONDERS)('a guarded responder keeps the properties of $mechanism', (responder) => {
  const guarded = new LoginGate(systemClock, 0).guard(responder);
  const properties = Object.entries(responder).filter(([, value]) => typeof value !== 'function');
  expect(guarded).toMatchObject(Object.fromEntries(properties));
});
