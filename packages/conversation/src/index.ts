export { Conversation, type HeardMessage, type Protocol } from "./conversation.ts";
export type { Address, MaybePromise, PeerCertificate, TlsFacts, TlsPolicy, Transport } from './transport.ts';
