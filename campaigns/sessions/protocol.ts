import type { Random } from '../fuzz/random.ts';

/** What a client sends, and how it behaves. A character is an octet. */
export interface Script {
  readonly plain: string;
  /** Sent behind STARTTLS, in TLS if the server agrees. Undefined without STARTTLS. */
  readonly afterStartTls: string | undefined;
  /**
   * How the client ends behind its last octet: it waits for the server, sends FIN, or resets the
   * connection. Default: `wait`.
   */
  readonly ending?: 'wait' | 'half-close' | 'reset';
  /** True for a client that reads a little at a time. */
  readonly readsSlowly?: boolean;
}

/** The rules of one protocol. They hold each reply against what the client has sent. */
export interface Model {
  /** True once the server may close the connection. */
  readonly mayEnd: boolean;
  /** True if the server owes a reply to something that the client has sent as a whole. */
  readonly isOwed: boolean;
  /** True if something was sent that is not answered yet. */
  readonly hasRest: boolean;
  /** True once the server has agreed to start TLS. */
  readonly startsTls: boolean;
  /** Adds octets that the client sends. */
  send(octets: string): void;
  /** The server starts TLS: it ignores what was sent before it in the clear. */
  enterTls(): void;
  /**
   * Takes one reply from the beginning of what the server has said. Returns its length in octets,
   * or 0 if more must come.
   *
   * @throws {Fault} The server must not say it here.
   */
  hear(said: string): number;
}

/** One session with a listener: its script, its rules, and what must hold in the end. */
export interface PreparedSession {
  readonly script: Script;
  readonly model: Model;
  /**
   * Checks what the session has left behind, once the connection to the port has ended.
   *
   * @throws {Fault} Something is not as the replies said.
   */
  readonly check?: (port: number) => Promise<void>;
}

/** One listener of the server, and how to make sessions for it. */
export interface Subject {
  readonly name: string;
  /** Prepares a session. No two sessions of one slot run at the same time. */
  prepare(random: Random, slot: number): PreparedSession | Promise<PreparedSession>;
}

/** The rules of the protocol are broken. */
export class Fault extends Error {
  override get name(): string {
    return 'Fault';
  }
}
