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
import { type ContractCase, skippedCase } from './case.ts';

/** Both halves of a mechanism, and the inputs of their contract. */
export interface MechanismContract {
  readonly challenger: Challenger;
  /** Makes the responder of a user that the portal accepts. */
  readonly responder: () => Responder;
  /**
   * Make the responders of users that the portal refuses: one with a wrong secret, one unknown. A
   * listener cannot distinguish them. Without them the rules about refusals are skipped.
   */
  readonly refused?: readonly (() => Responder)[];
  readonly portal: Portal;
  readonly mind?: Mind;
  readonly channel?: Partial<Channel>;
  /**
   * True if the messages prove nothing, as those of ANONYMOUS: a changed message may be accepted.
   * Default: false.
   */
  readonly provesNothing?: boolean;
}

/**
 * Returns the rules of both halves of every mechanism, also for cancelled, broken and changed
 * exchanges.
 *
 * @example
 * ```ts
 * import { plain } from '@postern/sasl';
 * import { plainResponder } from '@postern/sasl/client';
 * import { mechanismContract, portalFor } from '@postern/testing';
 * import { it } from 'vitest';
 *
 * const joe = { username: 'joe', password: 's3cret' };
 * const cases = mechanismContract({
 *   challenger: plain(),
 *   responder: () => plainResponder(joe),
 *   refused: [
 *     () => plainResponder({ ...joe, password: 'wrong' }),
 *     () => plainResponder({ ...joe, username: 'eve' }),
 *   ],
 *   portal: portalFor({ joe: 's3cret' }),
 * });
 * for (const { name, run, skipped } of cases) it.skipIf(skipped !== undefined)(name, run);
 * ```
 */
export function mechanismContract(contract: MechanismContract): readonly ContractCase[] {
  const { challenger, refused = [] } = contract;
  const isServerFirst = challenger.serverFirst ?? false;
  const cases =
    (skipped: string | false) =>
    ([name, rule]: [string, Rule]): ContractCase =>
      skipped === false ? { name, run: () => rule(contract) } : skippedCase(name, skipped);
  return [
    ...Object.entries(RULES).map(cases(false)),
    ...Object.entries(CLIENT_FIRST_RULES).map(cases(isServerFirst && 'the server sends first')),
    ...Object.entries(SERVER_FIRST_RULES).map(cases(!isServerFirst && 'the client sends first')),
    ...Object.entries(REFUSAL_RULES).map(cases(refused.length === 0 && 'the contract has no `refused`')),
  ];
}

type Rule = (contract: MechanismContract) => Promise<void>;

const RULES: Readonly<Record<string, Rule>> = {
  async 'has one valid name and one form on both sides'({ challenger, responder }) {
    checkMechanismName(challenger.mechanism);
    const other = responder();
    assert.equal(other.mechanism, challenger.mechanism);
    assert.equal(other.serverFirst ?? false, challenger.serverFirst ?? false);
    assert.equal(other.exposesSecret ?? false, challenger.exposesSecret ?? false);
  },

  async 'logs a user in several times'(contract) {
    const responder = contract.responder();
    for (let i = 0; i < 3; i++) succeeded(await run(contract, responder));
    succeeded(await run(contract, contract.responder()));
  },

  async 'keeps parallel exchanges apart'(contract) {
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

  async 'rejects with ExchangeCancelled when the client gives up'(contract) {
    if (!contract.challenger.serverFirst) {
      const { mechanism } = contract.challenger;
      const silent = { mechanism, exposesSecret: false, respond: () => Promise.reject(new Error()) };
      const { server } = await run(contract, silent, { initialResponse: false });
      assert.ok('error' in server && server.error instanceof ExchangeCancelled, inspect(server));
    }
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

  async 'rejects with the error that broke the connection'(contract) {
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

  async 'logs no user in after a changed message, and reports the failure on both sides'(contract) {
    const { messages } = await run(contract, contract.responder());
    for (const [at, { bytes, from }] of messages.entries()) {
      // A mechanism that sends the secret itself does not protect the server's messages.
      const mayPass = contract.provesNothing || (from === 'server' && contract.challenger.exposesSecret);
      for (const change of changes(bytes)) {
        const { server, client } = await run(contract, contract.responder(), {
          tamper: (message, index) => (index === at ? change(message) : message),
        });
        const isAccepted = 'login' in server && client.error === undefined;
        assert.ok(mayPass || !isAccepted, `both sides accepted message ${at} with a change`);
        // Only the client can notice a change of the server's last message.
        assert.ok(mayPass || from === 'server' || 'error' in server, `the server accepted message ${at} with a change`);
        if ('error' in server) assertIs(server.error, ExchangeError, LoginError);
        if (client.error !== undefined) assertIs(client.error, SaslError);
      }
    }
  },
};

const CLIENT_FIRST_RULES: Readonly<Record<string, Rule>> = {
  async 'logs a user in without an initial response'(contract) {
    succeeded(await run(contract, contract.responder(), { initialResponse: false }));
  },
};

const SERVER_FIRST_RULES: Readonly<Record<string, Rule>> = {
  async 'refuses an initial response'(contract) {
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
};

const REFUSAL_RULES: Readonly<Record<string, Rule>> = {
  async 'reports a refusal of the portal on both sides'(contract) {
    for (const refused of contract.refused ?? []) {
      const { server, client } = await run(contract, refused());
      assert.ok('error' in server, 'logged in');
      assert.ok(server.error instanceof UnauthorizedLogin, `the server: ${inspect(server.error)}`);
      assert.ok(client.error instanceof AuthenticationFailure, `the client: ${inspect(client.error)}`);
    }
  },

  async 'exchanges the same messages for each reason of a refusal'(contract) {
    const sequences = new Set<string>();
    for (const refused of contract.refused ?? []) {
      const { messages } = await run(contract, refused());
      sequences.add(messages.map(({ from }) => from).join(', '));
    }
    assert.ok(sequences.size <= 1, `the exchanges differ: ${[...sequences].join('; ')}`);
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

/** Returns the responder, which fails with `error` after this number of challenges. */
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

/** Returns small changes of a message: one octet less, more or different, and no octets. */
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
