import { DelegatingMind, type Mind, type RelayedBinding } from '@postern/cred';

/** The mind of a mail server that passes the channel binding of its clients on. */
export class BindingMind extends DelegatingMind {
  readonly #binding: RelayedBinding;

  constructor(mind: Mind, binding: RelayedBinding) {
    super(mind);
    this.#binding = binding;
  }

  override get relayedBinding(): RelayedBinding {
    return this.#binding;
  }
}
