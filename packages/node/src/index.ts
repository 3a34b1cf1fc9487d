export { type CertificateOptions, Certificates, type NamedKeyPair } from './certificates.ts';
export type { ConnectionLimits, LimitExceeded } from './client-limits.ts';
export { type ConnectOptions, connect } from './connect.ts';
export {
  type Endpoint,
  formatEndpoint,
  isLocalOnly,
  type ParsedEndpoint,
  parseEndpoint,
  type TcpEndpoint,
  type UnixEndpoint,
} from './endpoint.ts';
export { type InheritedSocket, InheritedSockets } from './inherited-sockets.ts';
export { EncryptedKey, type KeyPair } from './key-pair.ts';
export { listen } from './listen.ts';
export { ListenError } from './listen-error.ts';
export type { ListenOptions } from './listen-options.ts';
export type { Listener } from './listener.ts';
export type { ListenerError } from './listener-error.ts';
export { networks } from './networks.ts';
export type { Pem } from './pem.ts';
export { InvalidProxyHeader, type ProxiedTls, type ProxyAddition } from './proxy-additions.ts';
export { type ProxyHeader, parseProxyHeader } from './proxy-header.ts';
export { type Drainable, type ServeOptions, type Server, serve } from './server.ts';
export {
  type Secure,
  type SecuredSocket,
  type SocketInfo,
  SocketTransport,
  type TransportObserver,
  UpgradableTransport,
} from './socket-transport.ts';
export { TlsHandshakeError } from './tls-errors.ts';
export { tlsInfo } from './tls-info.ts';
export type { ProxyOptions } from './trusted-proxies.ts';
