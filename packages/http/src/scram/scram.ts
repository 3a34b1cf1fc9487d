import type { Login } from '@postern/cred';
import { decodeBase64, encodeBase64, MalformedResponse, type ScramOptions, scram as saslScram } from '@postern/sasl';
import { parseAuthParams, quote } from '../schemes/auth-params.ts';
import type { HttpScheme, SchemeAttempt, SchemeOutcome } from '../schemes/scheme.ts';
import { ScramExchange } from './scram-exchange.ts';
import { ScramExchanges } from './scram-exchanges.ts';

/** The options of {@link scram}: those of the SASL mechanism, and bounds on open exchanges. */
export interface HttpScramOptions
  extends Pick<ScramOptions, 'key' | 'iterations' | 'saltLength' | 'canonical' | 'nonce'> {
  /** The hash: `sha256` for SCRAM-SHA-256, `sha1` for SCRAM-SHA-1. Default: `sha256`. */
  readonly hash?: 'sha256' | 'sha1';
  /** Milliseconds between the two requests of an exchange. Default: 30,000. */
  readonly exchangeTimeout?: number;
  /** The exchanges that wait for their second request. Default: 4,096. */
  readonly maxExchanges?: number;
}

/**
 * Returns the scheme SCRAM-SHA-256 (RFC 7804). The client proves its password in a second request,
 * and the server itself in Authentication-Info. Reauthentication by `sr` (§5.1) is absent.
 *
 * @throws RangeError for an option that sasl's `scram` refuses, or a bound that is not positive.
 */
export function scram(options: HttpScramOptions = {}): HttpScheme {
  const { hash = 'sha256', exchangeTimeout = 30_000, maxExchanges = 4_096, ...rest } = options;
  if (!(exchangeTimeout > 0)) throw new RangeError(`exchangeTimeout: expected more than 0 ms, not ${exchangeTimeout}`);
  if (!(maxExchanges >= 1)) throw new RangeError(`maxExchanges: expected 1 or more, not ${maxExchanges}`);
  const challenger = saslScram({ ...rest, hash });
  const { mechanism } = challenger;

  return {
    name: mechanism,
    credentials: challenger.credentials,
    exposesSecret: false,
    serve({ realm, clock }) {
      const exchanges = new ScramExchanges(clock, maxExchanges, exchangeTimeout);
      const challenges = [`${mechanism} realm=${quote(realm)}`];

      async function begin<A>(attempt: SchemeAttempt<A>, clientFirst: Uint8Array): Promise<SchemeOutcome<A>> {
        // RFC 7804 §5: HTTP has no channel binding, so the gs2-header begins with `n`.
        if (clientFirst[0] !== N) throw new MalformedResponse('the gs2-header of SCRAM does not begin with n');
        const exchange = new ScramExchange(attempt);
        const { ask, mind } = exchange;
        const login = attempt.authenticate((challenge) => challenger.challenge(challenge, clientFirst, mind), {
          ask,
          mind,
        });
        const serverFirst = await exchange.begin(login);
        const sid = exchanges.add(exchange);
        return { challenges: [`${mechanism} ${messageFields(sid, serverFirst)}`] };
      }

      async function finish<A>(
        attempt: SchemeAttempt<A>,
        sid: string,
        clientFinal: Uint8Array,
      ): Promise<SchemeOutcome<A>> {
        const exchange = exchanges.take(sid);
        if (exchange?.isOf(attempt.request.mind) !== true) {
          exchange?.abandon();
          return { challenges };
        }
        attempt.username = exchange.username;
        const login = await exchange.finish(clientFinal, attempt.request.mind);
        const info = messageFields(sid, exchange.serverFinal);
        // The exchanges of one server log in to one avatar.
        return { login: login as Login<A>, headers: [['Authentication-Info', info]] };
      }

      return {
        challenges: () => challenges,
        logIn: (attempt) => {
          const { sid, data, realm: named } = readMessage(attempt.credentials);
          if (sid !== undefined) return finish(attempt, sid, data);
          return named !== undefined && named !== realm ? { challenges } : begin(attempt, data);
        },
        close: () => exchanges.close(),
      };
    },
  };
}

/** Reads the fields of a request: `data` with a message, and `sid` in the second request. */
function readMessage(credentials: string): { sid: string | undefined; data: Uint8Array; realm: string | undefined } {
  const params = parseAuthParams(credentials);
  const data = decodeBase64(params?.get('data') ?? '');
  if (params === undefined || data === undefined || data.length === 0) {
    throw new MalformedResponse('the credentials of SCRAM have no message in base64');
  }
  return { sid: params.get('sid'), data, realm: params.get('realm') };
}

/** Quoted, because `=` and `/` are no characters of a token (RFC 9110 §5.6.2). */
function messageFields(sid: string, message: Uint8Array): string {
  return `sid="${sid}", data="${encodeBase64(message)}"`;
}

const N = 0x6e;
