import type { Ask, Credentials, Mind, PeerCertificate, TlsInfo } from '@postern/cred';
import { type Challenger, encodeUtf8 } from '@postern/sasl';
import type { Channel, Responder } from '@postern/sasl/client';
import { testMind } from '@postern/testing';

export { testMind as someMind } from '@postern/testing';

export function someTls(facts: Partial<TlsInfo> = {}): TlsInfo {
  return {
    version: 'TLSv1.3',
    cipher: 'TLS_AES_256_GCM_SHA384',
    serverName: undefined,
    peerCertificate: undefined,
    channelBinding: () => undefined,
    ...facts,
  };
}

export function someCertificate(facts: Partial<PeerCertificate> = {}): PeerCertificate {
  return { verified: true, subject: 'CN=joe', subjectAltName: undefined, fingerprint256: '0'.repeat(64), ...facts };
}

export const someChannel: Channel = { tls: undefined, secure: false, offered: [] };

/** Returns an `ask` that answers with these responses in turn, and records the challenges. */
export function scripted(...responses: readonly (string | Uint8Array)[]): Ask & { readonly asked: readonly string[] } {
  const rest = [...responses];
  const asked: string[] = [];
  const ask = async (challenge: Uint8Array): Promise<Uint8Array> => {
    asked.push(Buffer.from(challenge).toString());
    const response = rest.shift();
    if (response === undefined) throw new Error('the script has no further response');
    return typeof response === 'string' ? encodeUtf8(response) : response;
  };
  return Object.assign(ask, { asked });
}

/** Resolves with the credentials that a challenger returns for an initial response. */
export async function initially<C extends Credentials>(
  challenger: Challenger<C>,
  initialResponse: string | Uint8Array,
  mind: Mind = testMind(),
  ask: Ask = scripted(),
): Promise<C> {
  const bytes = typeof initialResponse === 'string' ? encodeUtf8(initialResponse) : initialResponse;
  return await challenger.challenge(ask, bytes, mind);
}

/**
 * Resolves with a responder's messages to these challenges. An undefined last challenge is success.
 */
export async function said(
  responder: Responder,
  challenges: readonly (string | undefined)[],
  channel: Channel = someChannel,
): Promise<readonly (string | undefined)[]> {
  const rest = [...challenges];
  const messages: (string | undefined)[] = [];
  await responder.respond(async (message) => {
    messages.push(message && Buffer.from(message).toString());
    if (rest.length === 0) throw new Error('the script has no further challenge');
    const challenge = rest.shift();
    return challenge === undefined ? undefined : encodeUtf8(challenge);
  }, channel);
  return messages;
}
