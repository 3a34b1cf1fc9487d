import {
  type ChannelBindingType,
  InMemoryUsernamePasswordDatabaseDontUse,
  type Mind,
  UnauthorizedLogin,
} from '@postern/cred';
import { type ScramOptions, ScramSecret, scram } from '@postern/sasl';
import { SaslFailure, type ScramResponderOptions, scramResponder } from '@postern/sasl/client';
import { describe, expect, it } from 'vitest';
import { HmacKey, withRoom, xor } from '../../../packages/sasl/src/scram/hmac.ts';
import { deriveKeys } from '../../../packages/sasl/src/scram/keys.ts';
import { someChannel, someMind, someTls } from '../exchange.ts';
import { drive, type Outcome } from './drive.ts';

const checker = new InMemoryUsernamePasswordDatabaseDontUse({ joe: 'pencil' });
const REFUSED = { error: new UnauthorizedLogin() };

const DATA: Readonly<Record<ChannelBindingType, Uint8Array>> = {
  'tls-exporter': new Uint8Array(32).fill(1),
  'tls-server-end-point': new Uint8Array(32).fill(2),
  'tls-unique': new Uint8Array(12).fill(3),
};

/** Returns a connection's TLS with these bindings, in any version of TLS. */
function tlsWith(types: readonly ChannelBindingType[], version = 'TLSv1.3') {
  return someTls({ version, channelBinding: (type) => (types.includes(type) ? DATA[type] : undefined) });
}

const ALL: readonly ChannelBindingType[] = ['tls-exporter', 'tls-unique', 'tls-server-end-point'];
const TLS_1_3 = tlsWith(ALL);
const TLS_1_2 = tlsWith(ALL, 'TLSv1.2');

interface Sides {
  readonly server?: Partial<ScramOptions>;
  readonly client?: Partial<ScramResponderOptions>;
  readonly mind?: Mind;
  readonly offered?: readonly string[];
  readonly clientTls?: Mind['tls'];
}

const BOTH = ['SCRAM-SHA-256', 'SCRAM-SHA-256-PLUS'];

function login({
  server,
  client,
  mind = someMind({ tls: TLS_1_3 }),
  offered = BOTH,
  clientTls = mind.tls,
}: Sides): Promise<Outcome> {
  return drive({
    challenger: scram({ hash: 'sha256', iterations: 4096, ...server }),
    responder: scramResponder({ hash: 'sha256', username: 'joe', password: 'pencil', ...client }),
    checker,
    mind,
    channel: { ...someChannel, tls: clientTls, offered },
  });
}

const plus = { server: { plus: true }, client: { plus: true } };

describe('SCRAM-SHA-256-PLUS', () => {
  it.each([
    ['TLS 1.3 by tls-exporter', TLS_1_3, 'p=tls-exporter,,'],
    ['TLS 1.2 by tls-unique', TLS_1_2, 'p=tls-unique,,'],
    [
      'TLS 1.2 of a resumed session by the certificate',
      tlsWith(['tls-server-end-point'], 'TLSv1.2'),
      'p=tls-server-end-point,,',
    ],
    ['TLS 1.3 without an exporter by the certificate', tlsWith(['tls-server-end-point']), 'p=tls-server-end-point,,'],
  ])('binds to %s', async (_what, tls, gs2Header) => {
    const { server, dialogue } = await login({ ...plus, mind: someMind({ tls }) });
    expect(server).toBe('joe');
    expect(dialogue[0]?.startsWith(gs2Header)).toBe(true);
  });

  it('binds to TLS 1.2 with no type that the options exclude', async () => {
    const channelBindings: readonly ChannelBindingType[] = ['tls-server-end-point'];
    const mind = someMind({ tls: TLS_1_2 });
    const options = { plus: true, channelBindings };
    const { server, dialogue } = await login({ server: options, client: options, mind });
    expect(server).toBe('joe');
    expect(dialogue[0]).toMatch(/^p=tls-server-end-point,,/);
    expect(await login({ ...plus, server: options, mind })).toMatchObject({ server: REFUSED });
  });

  it.each([
    ['no TLS', undefined],
    ['TLS 1.3 with nothing but tls-unique', tlsWith(['tls-unique'])],
    ['TLS 1.2 with nothing but tls-exporter', tlsWith(['tls-exporter'], 'TLSv1.2')],
    ['TLS without any binding', tlsWith([])],
    ['bindings without data', someTls({ channelBinding: () => new Uint8Array() })],
  ])('is unavailable with %s', async (_what, tls) => {
    const options = { hash: 'sha256', plus: true, channelBindings: ALL } as const;
    expect(scram(options).unavailable?.(someMind({ tls }))).toBe('needs channel binding');
    const responder = scramResponder({ ...options, username: 'joe', password: 'pencil' });
    expect(responder.unavailable?.({ ...someChannel, tls })).toBe('needs channel binding');
    await expect(
      responder.respond(() => Promise.reject(new Error('said something')), { ...someChannel, tls }),
    ).rejects.toThrow(SaslFailure);
  });

  it('is available with a binding', () => {
    expect(scram({ hash: 'sha256', plus: true }).unavailable?.(someMind({ tls: TLS_1_3 }))).toBeUndefined();
    expect(scram({ hash: 'sha256' }).unavailable?.(someMind())).toBeUndefined();
  });

  it.each([
    ['n, the client that cannot bind', BOTH],
    ['y, the client that saw nothing offered', ['SCRAM-SHA-256']],
  ])('refuses the flag %s', async (_what, offered) => {
    const { server, dialogue } = await login({ server: { plus: true }, offered });
    expect(server).toEqual(REFUSED);
    expect(dialogue).toHaveLength(3);
  });

  it.each(['tls-exporter', 'tls-server-end-point'] as const)(
    'refuses a client that is bound to another %s',
    async (type) => {
      const client = { plus: true, channelBindings: [type] };
      const mind = someMind({ tls: TLS_1_3 });
      const clientTls = someTls({ channelBinding: () => new Uint8Array(32).fill(9) });
      const { server, dialogue } = await login({ ...plus, client, mind, clientTls });
      expect(server).toEqual(REFUSED);
      expect(dialogue).toHaveLength(3);
    },
  );

  it.each(['tls-exporter', 'tls-unique', 'tls-something'])(
    'refuses a client that names %s, which the connection lacks, and proves all else',
    async (type) => {
      const secret = await ScramSecret.derive('pencil', { hash: 'sha256', iterations: 4096 });
      const bare = 'n=joe,r=client-nonce';
      const withoutProof = `c=${Buffer.from(`p=${type},,`).toString('base64')},r=client-nonceserver`;
      const ask = async (serverFirst: Uint8Array) => {
        const authMessage = `${bare},${Buffer.from(serverFirst).toString()},${withoutProof}`;
        const { clientKey, storedKey } = await deriveKeys('sha256', 'pencil', secret.salt, secret.iterations);
        const proof = xor(new HmacKey('sha256', storedKey).digest(withRoom('sha256', authMessage)), clientKey);
        return Buffer.from(`${withoutProof},p=${proof.toString('base64')}`);
      };
      const challenger = scram({ hash: 'sha256', plus: true, nonce: () => 'server' });
      const mind = someMind({ tls: tlsWith(['tls-server-end-point']) });
      const credentials = await challenger.challenge(ask, Buffer.from(`p=${type},,${bare}`), mind);
      expect(await credentials.verify(secret)).toBe(false);
    },
  );

  it('refuses an unknown type', async () => {
    const outcome = await drive({
      challenger: scram({ hash: 'sha256', plus: true, iterations: 4096 }),
      responder: scramResponder({ hash: 'sha256', plus: true, username: 'joe', password: 'pencil' }),
      checker,
      mind: someMind({ tls: TLS_1_3 }),
      channel: { ...someChannel, tls: TLS_1_3 },
      tamper: (message, index) =>
        index > 0 ? message : Buffer.from(Buffer.from(message).toString().replace('tls-exporter', 'tls-something')),
    });
    expect(outcome.server).toEqual(REFUSED);
  });
});

describe('tls-exporter', () => {
  it('serves one authentication on a connection (RFC 9266 §4.1)', async () => {
    const mind = someMind({ tls: tlsWith(['tls-exporter']) });
    const first = await login({ ...plus, client: { plus: true, password: 'pen' }, mind });
    expect(first.server).toEqual(REFUSED);
    expect(scram({ hash: 'sha256', plus: true }).unavailable?.(mind)).toBe('needs channel binding');
    expect(await login({ ...plus, mind })).toMatchObject({ server: REFUSED });
    expect(await login({ ...plus, mind: someMind({ tls: mind.tls }) })).toMatchObject({ server: 'joe' });
  });

  it('serves more with reuseExporter', async () => {
    const mind = someMind({ tls: TLS_1_3 });
    const server = { plus: true, reuseExporter: true };
    expect(await login({ ...plus, server, client: { plus: true, password: 'pen' }, mind })).toMatchObject({
      server: REFUSED,
    });
    expect(await login({ ...plus, server, mind })).toMatchObject({ server: 'joe' });
  });

  it('does not affect tls-server-end-point, which serves more', async () => {
    const mind = someMind({ tls: TLS_1_3 });
    const client = { plus: true, channelBindings: ['tls-server-end-point'] } as const;
    await login({ ...plus, mind });
    expect(await login({ ...plus, client, mind })).toMatchObject({ server: 'joe' });
    expect(await login({ ...plus, client, mind })).toMatchObject({ server: 'joe' });
  });
});

describe('SCRAM-SHA-256', () => {
  /** Returns a client that binds under the name without -PLUS, as Cyrus SASL does. */
  function bindingUnderThePlainName(clientTls: Mind['tls']): Promise<Outcome> {
    return login({ client: { plus: true }, clientTls, server: { plusOffered: true } });
  }

  it('accepts and verifies channel binding under its own name', async () => {
    const { server, dialogue } = await bindingUnderThePlainName(TLS_1_3);
    expect(server).toBe('joe');
    expect(dialogue[0]).toMatch(/^p=tls-exporter,,/);
    expect(await bindingUnderThePlainName(someTls({ channelBinding: () => Uint8Array.of(1) }))).toMatchObject({
      server: REFUSED,
    });
  });

  it('refuses channel binding on a connection that has none', async () => {
    const mind = someMind();
    expect(await login({ client: { plus: true }, mind, clientTls: TLS_1_3 })).toMatchObject({ server: REFUSED });
  });

  it.each([
    ['the server offers -PLUS, and the client does not want it', BOTH, { plusOffered: true }, 'n', 'joe'],
    ['the offer of -PLUS was stripped on its way', ['SCRAM-SHA-256'], { plusOffered: true }, 'y', REFUSED],
    ['the server does not offer -PLUS', ['SCRAM-SHA-256'], {}, 'y', 'joe'],
    ['the server offers -PLUS in other letters', ['scram-sha-256-plus'], { plusOffered: true }, 'n', 'joe'],
    ['the server offers -PLUS of another hash', ['SCRAM-SHA-1-PLUS'], {}, 'y', 'joe'],
  ] as const)('when %s', async (_what, offered, server, flag, outcome) => {
    const { server: end, dialogue } = await login({ server, offered });
    expect(dialogue[0]?.startsWith(`${flag},,`)).toBe(true);
    expect(end).toEqual(outcome);
  });

  it('accepts y on a connection without channel binding', async () => {
    const mind = someMind();
    const server = { plusOffered: true };
    const { server: end, dialogue } = await login({ server, mind, clientTls: TLS_1_3, offered: ['SCRAM-SHA-256'] });
    expect(dialogue[0]?.startsWith('y,,')).toBe(true);
    expect(end).toBe('joe');
  });

  it('sends n if the client has no channel binding', async () => {
    const { dialogue } = await login({ mind: someMind(), offered: ['SCRAM-SHA-256'] });
    expect(dialogue[0]?.startsWith('n,,')).toBe(true);
  });
});
