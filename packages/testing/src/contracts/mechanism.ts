import assert from 'node:assert/strict';
import { inspect } from 'node:util';
import { LoginError, type Mind, type Portal, UnauthorizedLogin } from '@postern/cred';
import {
  type Challenger,
  checkMechanismName,
  ExchangeCancelled,
  ExchangeError,
  encodeUtf8,
  NO_BYTES,
} from '@postern/sasl';
import { AuthenticationFailure, type Channel, type Responder, SaslError } from '@postern/sasl/client';
import { type ExchangeOptions, type ExchangeRecord, exchange } from '../exchange.ts';
import type { ContractCase } from './case.ts';

/** Both halves of a mechanism, and what the contract has to know of them. */
export interface MechanismContract {
  readonly challenger: Challenger;
  /** The responder of a user whom the portal knows. */
  readonly responder: () => Responder;
  /** The responders of users whom it refuses: with a wrong secret, unknown. To a listener all look alike. */
  readonly refused?: readonly (() => Responder)[];
  readonly portal: Portal;
  readonly mind?: Mind;
  readonly channel?: Partial<Channel>;
  /** True if the messages of the exchange prove nothing, so that a changed one may be as good as any: ANONYMOUS. Default: false. */
  readonly provesNothing?: boolean;
}

/** What the two halves of every mechanism have to do. */
export function mechanismContract(contract: MechanismContract): readonly ContractCase[] {
  return Object.entries(RULES).map(([name, rule]) => ({ name, run: () => rule(contract) }));
}

const RULES: Readonly<Record<string, (contract: MechanismContract) => Promise<void>>> = {
  async 'has one name, which is a mechanism name, and one form on both sides'({ challenger, responder }) {
    checkMechanismName(challenger.mechanism);
    const other = responder();
    assert.equal(other.mechanism, challenger.mechanism);
    assert.equal(other.serverFirst ?? false, challenger.serverFirst ?? false);
    assert.equal(other.exposesSecret ?? false, challenger.exposesSecret ?? false);
  },

  async 'logs a user in, again and again'(contract) {
    const responder = contract.responder();
    for (let i = 0; i < 3; i++) succeeded(await run(contract, responder));
    succeeded(await run(contract, contract.responder()));
  },

  async 'logs a user in whose first message has to wait to be asked for'(contract) {
    if (contract.challenger.serverFirst) return;
    succeeded(await run(contract, contract.responder(), { initialResponse: false }));
  },

  async 'refuses an initial response where the server speaks first'(contract) {
    if (!contract.challenger.serverFirst) return;
    const eager: Responder = {
      mechanism: contract.challenger.mechanism,
      exposesSecret: false,
      async respond(say) {
        await say(NO_BYTES);
      },
    };
    const { server } = await run(contract, eager);
    assert.ok('error' in server && server.error instanceof ExchangeError);
  },

  async 'refuses whom the portal refuses, and both sides know it'(contract) {
    for (const refused of contract.refused ?? []) {
      const { server, client } = await run(contract, refused());
      assert.ok('error' in server, 'logged in');
      assert.ok(server.error instanceof UnauthorizedLogin, `the server: ${inspect(server.error)}`);
      assert.ok(client.error instanceof AuthenticationFailure, `the client: ${inspect(client.error)}`);
    }
  },

  async 'takes the same steps with whoever is refused, for whatever reason'(contract) {
    const courses = new Set<string>();
    for (const refused of contract.refused ?? []) {
      const { messages } = await run(contract, refused());
      courses.add(messages.map(({ from }) => from).join(', '));
    }
    assert.ok(courses.size <= 1, `the exchanges differ: ${[...courses].join('; ')}`);
  },

  async 'keeps exchanges apart that run at the same time'(contract) {
    const refused = contract.refused?.[0];
    const records = await Promise.all(
      Array.from({ length: 10 }, (_, index) =>
        run(contract, index % 2 === 1 && refused !== undefined ? refused() : contract.responder()),
      ),
    );
    for (const [index, record] of records.entries()) {
      if (index % 2 === 1 && refused !== undefined) assert.ok('error' in record.server, 'logged in');
      else succeeded(record);
    }
  },

  async 'ends as cancelled when the client gives up'(contract) {
    const { messages } = await run(contract, contract.responder());
    for (const [index, { from }] of messages.entries()) {
      if (from !== 'server') continue;
      const left = new Error('the client gives up');
      const quitter = quitting(
        contract.responder(),
        messages.slice(0, index + 1).filter((m) => m.from === 'server').length,
        left,
      );
      const { server, client } = await run(contract, quitter);
      assert.equal(client.error, left);
      if ('login' in server) assert.fail('logged in');
      assert.ok(server.error instanceof ExchangeCancelled, inspect(server.error));
    }
  },

  async 'passes on what the connection broke with'(contract) {
    const { messages } = await run(contract, contract.responder());
    for (const [at, { from }] of messages.entries()) {
      if (from !== 'client') continue;
      const lost = new Error('the connection is lost');
      const { server } = await run(contract, contract.responder(), {
        tamper(message, index) {
          if (index === at) throw lost;
          return message;
        },
      });
      assert.ok('error' in server && server.error === lost);
    }
  },

  async 'takes no message for another: whatever is changed on the way, nobody is logged in, and both say so in their own words'(
    contract,
  ) {
    const { messages } = await run(contract, contract.responder());
    for (const [at, { bytes, from }] of messages.entries()) {
      // A secret that is said as it is protects nothing that the server says.
      const mayPass = contract.provesNothing || (from === 'server' && contract.challenger.exposesSecret);
      for (const change of changes(bytes)) {
        const { server, client } = await run(contract, contract.responder(), {
          tamper: (message, index) => (index === at ? change(message) : message),
        });
        const taken = 'login' in server && client.error === undefined;
        assert.ok(mayPass || !taken, `message ${at} was changed, and both took it`);
        // After the server's last word it is the client that has to notice.
        assert.ok(
          mayPass || from === 'server' || 'error' in server,
          `message ${at} was changed, and the server took it`,
        );
        if ('error' in server) assertIs(server.error, ExchangeError, LoginError);
        if (client.error !== undefined) assertIs(client.error, SaslError);
      }
    }
  },
};

function assertIs(error: unknown, ...classes: readonly (abstract new (...args: never[]) => Error)[]): void {
  const expected = classes.map(({ name }) => name).join(' or ');
  assert.ok(
    classes.some((expected) => error instanceof expected),
    new assert.AssertionError({ message: `not a ${expected}: ${inspect(error)}` }),
  );
}

async function run(
  { challenger, portal, mind, channel }: MechanismContract,
  responder: Responder,
  options: Partial<ExchangeOptions> = {},
): Promise<ExchangeRecord> {
  const record = await exchange(challenger, responder, {
    portal,
    ...(mind && { mind }),
    ...(channel && { channel }),
    ...options,
  });
  if ('login' in record.server) await record.server.login.logout();
  return record;
}

function succeeded({ server, client }: ExchangeRecord): void {
  if ('error' in server) throw server.error;
  if (client.error !== undefined) throw client.error;
}

/** The responder, until so many challenges have come. */
function quitting(responder: Responder, challenges: number, error: Error): Responder {
  return {
    ...responder,
    mechanism: responder.mechanism,
    async respond(say, channel) {
      let heard = 0;
      await responder.respond(async (message) => {
        const challenge = await say(message);
        heard++;
        if (heard >= challenges) throw error;
        return challenge;
      }, channel);
    },
  };
}

/** Each a little different from the message: an octet less, an octet more, each octet another one, none at all. */
function changes(message: Uint8Array): readonly ((message: Uint8Array) => Uint8Array)[] {
  const eachOctet = Array.from(message, (_, at) => (bytes: Uint8Array) => {
    return bytes.map((octet, index) => (index === at % bytes.length ? octet ^ 1 : octet));
  });
  const changes = [
    (bytes: Uint8Array) => Buffer.concat([bytes, encodeUtf8('x')]),
    (bytes: Uint8Array) => Buffer.concat([bytes, encodeUtf8('\0')]),
    () => Uint8Array.of(0xff, 0xfe),
    ...eachOctet,
  ];
  return message.length === 0 ? changes : [...changes, (bytes) => bytes.subarray(0, -1), () => NO_BYTES];
}
