import { formatEndpoint, parseEndpoint } from '../../../packages/node/src/endpoint.ts';
import { UsageError } from '../../../packages/postern/src/errors.ts';
import { parseListenerUrl } from '../../../packages/postern/src/listener-url.ts';
import { holds, same, type Target } from '../target.ts';

/** Listeners' URLs, as the command line and the config file have them. */
export const urls: Target = {
  name: 'URLs',
  maxPumped: 4_096,
  seeds: [
    'smtp://127.0.0.1:2500?service=mx&auth=optional&proxy=10.0.0.0/8,unix',
    'smtps://[::1]:465?requireQualifiedDomains=yes',
    'lmtp+unix:/run/postern/lmtp?mode=660&xclient=192.0.2.1',
    'smtp+unix://%2Frun/x',
    'lmtp://*:24/?newlines=normalize&removeBcc=no&addMissingHeaders=yes',
  ],
  tokens: [
    'smtp://',
    'lmtps://',
    '+unix:',
    '?',
    '&',
    'tls=required',
    'auth=none',
    'service=mx',
    'mode=777',
    'proxy=',
    '::/0',
    '%2F',
    '%',
    '%zz',
    ':0',
    ':65536',
    '[',
    ']',
    '@',
    '__proto__=1',
  ],
  parse: (input) => parseListenerUrl(input.toString()),
  run(input) {
    const text = input.toString();
    const endpoint = declared(() => parseEndpoint(text, PORTS), TypeError);
    const listener = declared(() => parseListenerUrl(text), UsageError);
    if (typeof endpoint === 'object') {
      const { parameters: _, ...written } = endpoint;
      const { parameters: __, ...again } = parseEndpoint(formatEndpoint(written), PORTS);
      same(again, written, 'an endpoint round trip');
    }
    if (typeof listener === 'string') return `${typeof endpoint} ${listener.slice(0, 30)}`;
    holds(typeof endpoint === 'object', 'a listener has an endpoint');
    return Object.entries(listener)
      .filter(([, value]) => value !== undefined)
      .map(([key]) => key)
      .join();
  },
};

/** Returns the result, or the message of a declared error. */
function declared<T>(parse: () => T, expected: new (message: string) => Error): T | string {
  try {
    return parse();
  } catch (error) {
    if (error instanceof expected) return error.message;
    throw error;
  }
}

const PORTS = new Map([['smtp', 25]]);
