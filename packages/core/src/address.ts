/** One end of a connection. A UNIX socket has a path for an address, often empty, and port 0. */
export interface Address {
  readonly family: 'IPv4' | 'IPv6' | 'unix';
  readonly address: string;
  readonly port: number;
}
