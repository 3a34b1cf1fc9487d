/** The disconnect of a client, or the end of its login, as the client's `signal` reports it. */
export interface Disconnection {
  /** Calls the listener once when `signal` aborts: at once if it has aborted. */
  addDisconnectListener(listener: DisconnectListener): void;
  /** Removes the listener if it is still there. */
  removeDisconnectListener(listener: DisconnectListener): void;
}

/** An object that a {@link Disconnection} calls. */
export interface DisconnectListener {
  /** Called once when the client has disconnected, or its login has ended. */
  onDisconnect(): void;
}
